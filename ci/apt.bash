# SPDX-License-Identifier: MIT
# Sourced by ci/setup and ci/undo-setup: their files in apt's configuration, and queries.

# Debian 12's liburing is too old, and it has no llhttp: these, and only these, come from Debian 13.
# liburing's header needs that kernel header package.
readonly newer=(liburing-dev liburing2 linux-libc-dev libllhttp-dev libllhttp9.2)

# The path that @1 has in apt's configuration.
apt_path() {
        local path

        eval "$(apt-config shell path "$1")"
        echo "${path%/}"
}

# The paths of our own files in apt. Not called where there is no apt.
find_apt() {
        sources_list=$(apt_path Dir::Etc::sourcelist/f)
        sources_folder=$(apt_path Dir::Etc::sourceparts/d)
        our_sources=$sources_folder/quoit-trixie.sources
        our_pin=$(apt_path Dir::Etc::preferencesparts/d)/quoit-trixie
        our_record=$(apt_path Dir::State/d)/quoit-setup # the packages that were installed, a line each
}

can_be_root() {
        [[ $(id -u) == 0 ]] || { command -v sudo >/dev/null && sudo true; }
}

as_root() {
        if [[ $(id -u) == 0 ]]; then
                "$@"
        else
                sudo "$@"
        fi
}

apt_get() {
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
                -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 "$@" </dev/null
}

# The version that is installed of a package; nothing if none is.
installed_version() {
        dpkg-query -W -f '${db:Status-Abbrev} ${Version}\n' "$1" 2>/dev/null |
                awk '$1 == "ii" { print $2; exit }'
}
