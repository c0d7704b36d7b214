# shellcheck shell=bash disable=SC2034 # what it sets is for those who source it
# SPDX-License-Identifier: MIT
# What every peer's build begins with: source it with build's own arguments. Sets $root, the source
# tree, $here, the peer's folder, and $outdir, where everything that is built goes.

peer=$(basename "$(dirname "$(realpath "$0")")")

die() {
        echo "$peer: $*" >&2
        exit 1
}

# The peer is not available on this machine: the caller of build reports it as missing, with this line.
missing() {
        echo "$peer: $*" >&2
        exit 77
}

[[ $# == 1 && $1 == /* ]] || {
        echo "usage: $0 OUTDIR (an absolute path)" >&2
        exit 2
}
outdir=$1
here=$(dirname "$(realpath "$0")")
root=$(realpath "$here/../../..")
mkdir -p "$outdir"

# need COMMAND WHERE-FROM
need() {
        command -v "$1" >/dev/null || missing "there is no $1 here: install $2"
}

# Copies files of the peer's folder to $outdir/source, with their times, so that a second build
# finds nothing new.
stage() {
        mkdir -p "$outdir/source"
        (cd "$here" && cp -p --parents -t "$outdir/source" "$@")
}

# Makes api.proto without its rules for HTTP, whose import is one more package in each language. Says the folder for protoc.
plain_protos() {
        mkdir -p "$outdir/proto"
        sed -e '/^import "google\/api\//d' -e '/^    option (google.api.http) = {$/,/^    };$/d' \
                -e '/^    option (google.api.http) = {.*};$/d' \
                "$root/proto/api.proto" >"$outdir/proto/api.proto"
        echo "$outdir/proto"
}

# Runs a command, whose output is of interest only where it fails.
quietly() {
        "$@" </dev/null >"$outdir/build.log" 2>&1 && return
        tail -n 20 "$outdir/build.log" >&2
        die "failed: $* (all of it in $outdir/build.log)"
}

# write_program NAME: makes $outdir/NAME, a program, from stdin. One that runs stays as it is.
write_program() {
        cat >"$outdir/$1.new"
        chmod +x "$outdir/$1.new"
        mv "$outdir/$1.new" "$outdir/$1"
}

# write_serve PORT [THREADS], the words as its usage has them: makes $outdir/serve from the lines on
# stdin, in which $port and $threads (perhaps empty) are set. They end in an exec: serve's process
# is the server's.
write_serve() {
        {
                cat <<SERVE
#!/bin/bash
set -euo pipefail
((\$# >= 1 && \$# <= $#)) || {
        echo "usage: \$0 $*" >&2
        exit 2
}
port=\$1 threads=\${2:-}
SERVE
                cat
        } | write_program serve
}

# write_call COMMAND: makes $outdir/call, which runs the client's program with these words in front of its own.
write_call() {
        printf '#!/bin/bash\nexec %s "$@"\n' "$1" | write_program call
}

# report VERSION BINARY: what build says on stdout.
report() {
        printf '%s\n' "name=$peer" "version=$1" "binary=$2"
}
