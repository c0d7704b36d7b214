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

# The programs may be built anew for the other peer while these run.
for program in tonic-peer tonic-peer-client; do
        cp "$target/release/$program" "$outdir/$program.new"
        mv "$outdir/$program.new" "$outdir/$program"
done

arguments=(PORT)
[[ $peer == tonic-current-thread ]] || arguments+=("[THREADS]")
write_serve "${arguments[@]}" <<SERVE
exec '$outdir/tonic-peer' ${peer#tonic-} "\$port" \${threads:+"\$threads"}
SERVE
write_call "'$outdir/tonic-peer-client' ${peer#tonic-}"
locked() {
        sed -n "/^name = \"$1\"/{n;s/^version = \"\(.*\)\"/\1/p}" "$crate/Cargo.lock"
}
report "tonic $(locked tonic), tokio $(locked tokio), $(rustc --version)" "$outdir/tonic-peer"
