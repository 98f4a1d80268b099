#!/bin/bash
# Make a Debian machine ready for minirt, as root. May be run again at any time.
#
#   vm/provision.sh [packages|setup ...]
#
# packages   what README asks for
# setup      `make setup` as the user vagrant: with it, `make run` has little left to do
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

user=vagrant
clone=/home/$user/minirt

packages() {
  apt-get -qq update
  apt-get -qq install -y --no-install-recommends \
    git make python3-venv ca-certificates > /dev/null
}

setup() { su --login "$user" --command "make --directory $clone setup"; }

[ "$(id -u)" -eq 0 ] || { echo "provision: this installs packages: run it as root" >&2; exit 1; }
[ $# -gt 0 ] || set -- packages setup
for step in "$@"; do
  case $step in
    packages | setup) "$step" ;;
    *) echo "provision: no step $step: choose packages or setup" >&2; exit 2 ;;
  esac
done
