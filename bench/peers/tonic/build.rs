// SPDX-License-Identifier: MIT

fn main() -> std::io::Result<()> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let (api, bench) = (root.join("proto"), root.join("bench"));

    tonic_prost_build::configure().compile_protos(
        &[api.join("api.proto"), bench.join("bench.proto")],
        &[api, bench],
    )
}
