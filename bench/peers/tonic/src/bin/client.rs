// SPDX-License-Identifier: MIT

//! The bench's client on tonic, at its defaults, on either of tokio's runtimes:
//! RUNTIME PORT METHOD CONNECTIONS STREAMS WARMUP SECONDS, as bench/client/main.c.

use std::{
    error::Error,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use tokio::runtime;
use tonic::transport::{Channel, Endpoint};

mod proto {
    pub mod api {
        tonic::include_proto!("api");
    }
}
use proto::api::{api_client::ApiClient, ApiRequest, HelloRequest};

const ITEMS: i32 = 100;
static CALLS: AtomicU64 = AtomicU64::new(0);

async fn say_hello(client: &mut ApiClient<Channel>) {
    let request = HelloRequest {
        name: "World".into(),
    };
    let reply = client.say_hello(request).await.expect("an answer");
    assert_eq!(reply.into_inner().message, "Hello World!");
}

async fn get_all(client: &mut ApiClient<Channel>) {
    let request = ApiRequest { length: ITEMS };
    let reply = client.get_all(request).await.expect("an answer");
    assert_eq!(reply.into_inner().items.len(), ITEMS as usize);
}

async fn get_stream(client: &mut ApiClient<Channel>) {
    let request = ApiRequest { length: ITEMS };
    let mut stream = client
        .get_stream(request)
        .await
        .expect("a stream")
        .into_inner();
    let mut count = 0;
    while let Some(item) = stream.message().await.expect("an item") {
        count += 1;
        assert_eq!(item.id, count);
    }
    assert_eq!(count, ITEMS);
}

async fn repeat(mut client: ApiClient<Channel>, method: String) {
    loop {
        match method.as_str() {
            "sayHello" => say_hello(&mut client).await,
            "getAll" => get_all(&mut client).await,
            _ => get_stream(&mut client).await,
        }
        CALLS.fetch_add(1, Relaxed);
    }
}

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

/// CPU time of the process, all its threads.
fn cpu_seconds() -> f64 {
    const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
    let mut time = Timespec {
        seconds: 0,
        nanoseconds: 0,
    };
    // SAFETY: it has the layout of struct timespec on 64-bit Linux.
    unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.seconds as f64 + time.nanoseconds as f64 / 1e9
}

async fn run(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let target = format!("http://127.0.0.1:{}", arguments[2]);
    let (connections, streams): (usize, usize) = (arguments[4].parse()?, arguments[5].parse()?);
    let (warmup, seconds): (f64, f64) = (arguments[6].parse()?, arguments[7].parse()?);
    for _ in 0..connections {
        let channel = Endpoint::from_shared(target.clone())?.connect().await?;
        for _ in 0..streams {
            tokio::spawn(repeat(
                ApiClient::new(channel.clone()),
                arguments[3].clone(),
            ));
        }
    }
    tokio::time::sleep(Duration::from_secs_f64(warmup)).await;
    let (began, cpu, before) = (Instant::now(), cpu_seconds(), CALLS.load(Relaxed));
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    let (calls, took) = (CALLS.load(Relaxed) - before, began.elapsed().as_secs_f64());
    println!(
        "{{\"calls\": {calls}, \"seconds\": {took:.6}, \"cpu_seconds\": {:.6}}}",
        cpu_seconds() - cpu
    );
    std::process::exit(0)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() != 8 {
        return Err("RUNTIME PORT METHOD CONNECTIONS STREAMS WARMUP SECONDS".into());
    }
    let mut builder = match arguments[1].as_str() {
        "current-thread" => runtime::Builder::new_current_thread(),
        _ => runtime::Builder::new_multi_thread(),
    };
    builder.enable_all().build()?.block_on(run(&arguments))
}
