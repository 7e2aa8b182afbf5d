#!/bin/sh
# Makes configure and Makefile.in from configure.ac and Makefile.am.
# Needs autoconf, automake and pkg-config (Debian: apt-get install autoconf automake pkg-config).
set -eu
cd "$(dirname "$0")"
for tool in autoconf automake aclocal; do
    command -v "$tool" >/dev/null 2>&1 || {
        echo "autogen.sh: $tool not found. On Debian: apt-get install autoconf automake pkg-config" >&2
        exit 2
    }
done
exec autoreconf --install --force "$@"
