# shellcheck shell=bash disable=SC2154 # common.sh sets $here, $outdir and $peer
# SPDX-License-Identifier: MIT
# What both tonic peers build: one program. Their build sources this after common.sh; $peer's name
# says which of tokio's runtimes it is.
need cargo "the Rust toolchain"
need protoc protobuf-compiler

crate=$here/../tonic
# Beside OUTDIR: the two are one program, which takes four minutes to build.
target=$(dirname "$outdir")/tonic-target
quietly cargo build --release --manifest-path "$crate/Cargo.toml" --target-dir "$target"

# The program may be built anew for the other peer while this one runs.
cp "$target/release/tonic-peer" "$outdir/tonic-peer.new"
mv "$outdir/tonic-peer.new" "$outdir/tonic-peer"

arguments=(PORT)
[[ $peer == tonic-current-thread ]] || arguments+=("[THREADS]")
write_serve "${arguments[@]}" <<SERVE
exec '$outdir/tonic-peer' ${peer#tonic-} "\$port" \${threads:+"\$threads"}
SERVE
locked() {
        sed -n "/^name = \"$1\"/{n;s/^version = \"\(.*\)\"/\1/p}" "$crate/Cargo.lock"
}
report "tonic $(locked tonic), tokio $(locked tokio), $(rustc --version)" "$outdir/tonic-peer"
