// SPDX-License-Identifier: MIT

//! The bench's services on tonic, all at its defaults, on either of tokio's runtimes.

use std::{error::Error, net::SocketAddr, pin::Pin, time::Duration};

use tokio::runtime::{self, Runtime};
use tokio_stream::{iter, Stream};
use tonic::{transport::Server, Request, Response, Status, Streaming};

mod proto {
    pub mod api {
        tonic::include_proto!("api");
    }
    pub mod bench {
        tonic::include_proto!("bench");
    }
}
use proto::api::{api_server, ApiRequest, Hello, HelloRequest, Item, Items};
use proto::bench::{bench_server, Pause, Payload, Summary};

type Answer<T> = Result<Response<T>, Status>;

struct Api;

fn item(id: i32) -> Item {
    Item {
        id,
        name: format!("name {id}"),
    }
}

#[tonic::async_trait]
impl api_server::Api for Api {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Answer<Hello> {
        let message = format!("Hello {}!", request.into_inner().name);
        Ok(Response::new(Hello { message }))
    }

    async fn get_all(&self, request: Request<ApiRequest>) -> Answer<Items> {
        let items = (1..=request.into_inner().length).map(item).collect();
        Ok(Response::new(Items { items }))
    }

    type getStreamStream = Pin<Box<dyn Stream<Item = Result<Item, Status>> + Send>>;

    async fn get_stream(&self, request: Request<ApiRequest>) -> Answer<Self::getStreamStream> {
        let ids = 1..=request.into_inner().length;
        Ok(Response::new(Box::pin(iter(ids.map(|id| Ok(item(id)))))))
    }
}

struct Bench;

#[tonic::async_trait]
impl bench_server::Bench for Bench {
    async fn echo(&self, request: Request<Payload>) -> Answer<Payload> {
        Ok(Response::new(request.into_inner()))
    }

    async fn collect(&self, request: Request<Streaming<Payload>>) -> Answer<Summary> {
        let mut stream = request.into_inner();
        let mut summary = Summary::default();
        while let Some(message) = stream.message().await? {
            summary.messages += 1;
            summary.bytes += message.body.len() as i64;
        }
        Ok(Response::new(summary))
    }

    type chatStream = Streaming<Payload>;

    /// What comes in is a stream of just the kind that may go out.
    async fn chat(&self, request: Request<Streaming<Payload>>) -> Answer<Self::chatStream> {
        Ok(Response::new(request.into_inner()))
    }

    async fn pause(&self, request: Request<Pause>) -> Answer<Payload> {
        let milliseconds = request.into_inner().milliseconds.max(0) as u64;
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        Ok(Response::new(Payload::default()))
    }
}

fn make_runtime(kind: &str, threads: Option<&String>) -> Result<Runtime, Box<dyn Error>> {
    let mut builder = match kind {
        "current-thread" => runtime::Builder::new_current_thread(),
        "multi-thread" => runtime::Builder::new_multi_thread(),
        _ => return Err(format!("no runtime '{kind}': current-thread or multi-thread").into()),
    };
    if let Some(threads) = threads {
        builder.worker_threads(threads.parse()?);
    }
    Ok(builder.enable_all().build()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() < 3 {
        return Err("usage: tonic-peer RUNTIME PORT [THREADS]".into());
    }
    let address: SocketAddr = format!("127.0.0.1:{}", arguments[2]).parse()?;
    let server = Server::builder()
        .add_service(api_server::ApiServer::new(Api))
        .add_service(bench_server::BenchServer::new(Bench));
    make_runtime(&arguments[1], arguments.get(3))?.block_on(server.serve(address))?;
    Ok(())
}
