# Meson and ninja, so that every script builds the same way.
# shellcheck shell=bash

# configure DIRECTORY [MESON OPTION...]: sets a build directory up, once; afterwards only
# brings it up to date with meson.build. CXX chooses the compiler; ccache is used if there.
configure() {
  local directory=$1 compiler=${CXX:-g++}
  shift
  if [ -f "$directory/build.ninja" ]; then
    ninja -C "$directory" build.ninja
    return
  fi
  if command -v ccache >/dev/null; then compiler="ccache $compiler"; fi
  CXX=$compiler meson setup "$@" "$directory"
}

# compile DIRECTORY [TARGET...]: all that is built by default, or these.
compile() { ninja -C "$@"; }

# programs_of DIRECTORY: the programs at its top, without tests and benches.
programs_of() { ninja -C "$1" -t targets all | sed -n 's/^\([^/]*\): cpp_LINKER.*/\1/p'; }
