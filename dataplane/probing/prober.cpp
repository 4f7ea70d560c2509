#include "dataplane/probing/prober.hpp"

#include <algorithm>

namespace penstock::dataplane::probing {

void Prober::confirmed(const SessionRecord& record, Time now) {
  if (record.probes == nullptr || !record.probes->finds_mtu) {
    if (const auto found = links_.find(record.info.link); found != links_.end())
      found->second.path.pause();
    return;
  }
  const auto [at, is_new] = links_.try_emplace(
      record.info.link,
      Link{.peer = record.info.peer_name, .path = PathMtu{most_, draw_()}, .session = {}});
  Link& link = at->second;
  // Numbers of links are given again.
  if (!is_new && link.peer != record.info.peer_name)
    link = {.peer = record.info.peer_name, .path = PathMtu{most_, draw_()}, .session = {}};
  link.session = record.info.session_id;
  link.path.resume(record.info.frame_size, now);
  due_ = std::min(due_, link.path.deadline());
}

void Prober::on_timer(Time now) {
  for (auto& [number, link] : links_) {
    if (now < link.path.deadline()) continue;
    ask(link, now);
    tell(link);
  }
  find_deadline();
}

void Prober::find_deadline() {
  due_ = Time::max();
  for (const auto& [number, link] : links_) due_ = std::min(due_, link.path.deadline());
}

void Prober::ask(Link& link, Time now) {
  const SessionRecord* record = sessions_.find(link.session);
  if (record == nullptr || record->probes == nullptr) return link.path.pause();
  const auto probe = link.path.take_probe(now);
  if (!probe) return;
  ++link.sent;
  send(*record, probe->size, {.id = probe->id, .size = probe->size});
}

void Prober::send(const SessionRecord& record, std::uint16_t size, const PathProbe& probe) {
  const MutableBytes packet = MutableBytes{room_}.first(size);
  write_path_probe(record.probes->out.text(packet), probe);
  if (!record.probes->out.seal(packet)) return;
  // Where frames go, whoever asked.
  sink_.send_probe(ipc::from_wire(record.info.peer), packet);
}

void Prober::on_packet(Bytes packet, Time now) {
  if (packet.size() > room_.size()) {
    ++bad_;
    return;
  }
  std::ranges::copy(packet, room_.begin());
  if (!hear(MutableBytes{room_}.first(packet.size()), now)) ++bad_;
}

bool Prober::hear(MutableBytes packet, Time now) {
  const auto header = read_frame_header(packet, PacketType::path_probe);
  if (!header || header->spi.lane() != 0) return false;
  SessionRecord* record = sessions_.find(header->spi);
  if (record == nullptr || record->probes == nullptr) return false;
  const Bytes text = open(*record->probes, packet);
  const auto probe = text.empty() ? std::nullopt : read_path_probe(text);
  if (!probe) return false;
  if (probe->is_answer) {
    hear_answer(*record, *probe, now);
    return true;
  }
  if (probe->size != packet.size()) return false;
  send(*record, probe_answer_size, {.is_answer = true, .id = probe->id, .size = probe->size});
  return true;
}

Bytes Prober::open(ProbeSas& sas, MutableBytes packet) {
  if (packet.size() < limits::min_frame_size) return {};
  const SequenceNumber sequence{load_be64(&packet[frame_layout::sequence])};
  if (sas.window.look(sequence) != ReplayVerdict::fresh) return {};
  const Bytes text = sas.in.open(packet);
  if (text.empty() || sas.window.admit(sequence) != ReplayVerdict::fresh) return {};
  return text;
}

// Of any living session of the link: a rekey may have come between question and answer.
void Prober::hear_answer(SessionRecord& record, const PathProbe& answer, Time now) {
  const auto found = links_.find(record.info.link);
  if (found == links_.end() || found->second.peer != record.info.peer_name) return;
  Link& link = found->second;
  if (!link.path.answered(answer.id, answer.size, now)) return;
  ++link.answered;
  due_ = std::min(due_, link.path.deadline());
  tell(link);
}

void Prober::tell(Link& link) {
  const auto news = link.path.take_news();
  if (!news) return;
  if (SessionRecord* record = sessions_.find(link.session)) sink_.path_found(*record, *news);
}

bool Prober::fill(std::uint32_t link, ipc::LinkStats& stats) const {
  const auto found = links_.find(link);
  if (found == links_.end()) return false;
  stats.probes_sent = found->second.sent;
  stats.probes_answered = found->second.answered;
  stats.path_frame = found->second.path.known();
  return true;
}

std::vector<std::uint32_t> Prober::links() const {
  std::vector<std::uint32_t> numbers;
  for (const auto& [number, link] : links_) numbers.push_back(number);
  return numbers;
}

}  // namespace penstock::dataplane::probing
