# Meson and ninja, so that every script builds the same way.
# shellcheck shell=bash

# configure DIRECTORY [MESON OPTION...]: sets a build directory up, once; ninja keeps it
# up to date with meson.build afterwards. CXX chooses the compiler; ccache is used if there.
configure() {
  local directory=$1 compiler=${CXX:-g++}
  shift
  if [ -f "$directory/build.ninja" ]; then
    ninja -C "$directory" build.ninja >/dev/null && return
    rm -rf "$directory/meson-private" "$directory/build.ninja"  # half a set-up, or moved
  fi
  if command -v ccache >/dev/null; then compiler="ccache $compiler"; fi
  CXX=$compiler meson setup "$@" "$directory"
}

# compile DIRECTORY [TARGET...]
compile() {
  ninja -C "$@"
}
