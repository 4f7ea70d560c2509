#include "controlplane/handshake/parameters.hpp"

#include <algorithm>

#include "penstock/base/bytes.hpp"

namespace penstock::controlplane {
namespace {

namespace at {
constexpr std::size_t reason = 0;
constexpr std::size_t flags = 1;
constexpr std::size_t tag = 2;
constexpr std::size_t min_tag = 3;
constexpr std::size_t spi_base = 4;
constexpr std::size_t frame_size = 8;
constexpr std::size_t lanes = 10;
constexpr std::size_t shaping = 12;
constexpr std::size_t identity_key = 16;
constexpr std::size_t signature = 48;
}  // namespace at
static_assert(at::identity_key + IdentityPublic::size == at::signature);

constexpr std::byte identity_flag{0x80};

void write_identity(const IdentityProof& proof, ParameterBytes& out) {
  out[at::flags] |= identity_flag;
  std::ranges::copy(proof.key.bytes, &out[at::identity_key]);
  std::ranges::copy(proof.signature, &out[at::signature]);
}

std::optional<IdentityProof> read_identity(std::span<const std::byte, parameters_size> bytes) {
  if ((bytes[at::flags] & identity_flag) == std::byte{0}) return std::nullopt;
  IdentityProof proof;
  std::ranges::copy(bytes.subspan<at::identity_key, IdentityPublic::size>(),
                    proof.key.bytes.begin());
  std::ranges::copy(bytes.subspan<at::signature, sizeof proof.signature>(),
                    proof.signature.begin());
  return proof;
}

bool in_range(const Parameters& p, Protection protection) {
  return (p.flags & ~Parameters::takes_offload_flag) == 0 && p.tag <= traits(protection).max_tag &&
         p.min_tag >= traits(protection).min_tag && p.min_tag <= p.tag && p.spi_base.value != 0 &&
         p.spi_base == p.spi_base.base() && p.frame_size >= limits::min_frame_size &&
         p.frame_size <= limits::max_frame_size && p.lanes >= 1 && p.lanes <= limits::max_lanes;
}

}  // namespace

ParameterBytes write_parameters(const Parameters& parameters) {
  ParameterBytes out{};
  store_u8(&out[at::reason], static_cast<std::uint8_t>(parameters.reason));
  store_u8(&out[at::flags], parameters.flags);
  store_u8(&out[at::tag], parameters.tag);
  store_u8(&out[at::min_tag], parameters.min_tag);
  store_be32(&out[at::spi_base], parameters.spi_base.value);
  store_be16(&out[at::frame_size], parameters.frame_size);
  store_be16(&out[at::lanes], parameters.lanes);
  store_u8(&out[at::shaping], parameters.shaping);
  if (parameters.identity) write_identity(*parameters.identity, out);
  return out;
}

Parameters read_parameters(std::span<const std::byte, parameters_size> bytes) {
  return {.reason = static_cast<Refusal>(load_u8(&bytes[at::reason])),
          .flags = std::to_integer<std::uint8_t>(bytes[at::flags] & ~identity_flag),
          .tag = load_u8(&bytes[at::tag]),
          .min_tag = load_u8(&bytes[at::min_tag]),
          .spi_base = Spi{load_be32(&bytes[at::spi_base])},
          .frame_size = load_be16(&bytes[at::frame_size]),
          .lanes = load_be16(&bytes[at::lanes]),
          .shaping = load_u8(&bytes[at::shaping]),
          .identity = read_identity(bytes)};
}

Parameters fitted(Parameters parameters, Protection protection) {
  parameters.tag = fit_tag(protection, parameters.tag);
  parameters.min_tag = std::max(parameters.min_tag, traits(protection).min_tag);
  if (protection == Protection::none) parameters.min_tag = 0;
  return parameters;
}

std::expected<FrameShape, Refusal> agree(const Parameters& own, const Parameters& peer,
                                         Protection protection) {
  if (!in_range(own, protection) || !in_range(peer, protection))
    return std::unexpected{Refusal::parameters};
  if (own.shaping != peer.shaping) return std::unexpected{Refusal::shaping};
  const FrameShape shape{.size = std::min(own.frame_size, peer.frame_size),
                         .tag = std::min(own.tag, peer.tag)};
  if (shape.tag < std::max(own.min_tag, peer.min_tag)) return std::unexpected{Refusal::tag};
  return shape;
}

}  // namespace penstock::controlplane
