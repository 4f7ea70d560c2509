# The Debian 12 packages that Penstock needs, by purpose, and the one function that gets them.
# shellcheck shell=bash

packages_for() {
  case $1 in
    build) echo g++ meson ninja-build pkg-config ccache libdpdk-dev libipsec-mb-dev libssl-dev \
      libtomlplusplus-dev libcli11-dev libfmt-dev libspdlog-dev nlohmann-json3-dev libasio-dev \
      libseccomp-dev libgtest-dev libbenchmark-dev ;;
    run) echo iproute2 nftables procps ;;
    demo) echo iputils-ping ethtool iperf3 tcpdump python3 ;;
    classifier) echo python3-numpy python3-sklearn python3-matplotlib ;;
    plot) echo python3-matplotlib ;;
    beside) echo dpdk-dev ;;
    test) echo iputils-ping ethtool iperf3 tcpdump qemu-user python3 python3-pytest python3-scapy \
      python3-hypothesis python3-cryptography spiped ;;
    fuzz) echo clang-19 libclang-rt-19-dev ;;
    lint) echo clang-19 clang-format-19 clang-tidy-19 shellcheck python3 python3-pyflakes ;;
    *) echo "packages.sh: no package list is called '$1'" >&2; return 1 ;;
  esac
}

# need_packages PURPOSE...: installs what is missing for these purposes; says nothing and
# touches no network when nothing is.
need_packages() {
  local purpose list wanted=() missing=()
  for purpose in "$@"; do
    list=$(packages_for "$purpose") || return 1
    read -r -a list <<<"$list"
    wanted+=("${list[@]}")
  done
  local installed
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
  for purpose in "${wanted[@]}"; do
    grep -qxF "$purpose installed" <<<"$installed" || missing+=("$purpose")
  done
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

install_packages() {
  if [ "$(id -u)" -ne 0 ]; then
    echo "Debian packages are missing; as root, run: apt-get install $*" >&2
    return 1
  fi
  echo "installing Debian packages: $*"
  local log
  log=$(mktemp)
  if ! apt_get update >"$log" 2>&1 || ! apt_get install --no-install-recommends "$@" >>"$log" 2>&1; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    echo "apt-get could not install these packages; check that this machine reaches its Debian" \
      "mirror (Debian 12 is what Penstock builds on), then run this again" >&2
    return 1
  fi
  rm -f "$log"
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 \
    -o APT::Update::Error-Mode=any "$@" </dev/null
}
