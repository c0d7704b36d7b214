// SPDX-License-Identifier: MIT
// The bench's services on gRPC C++'s callback API, all at its defaults.
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include "api.grpc.pb.h"
#include "bench.grpc.pb.h"

namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using grpc::Status;

// A reactor lives until gRPC is through with it, and then frees itself: the API's own way. Where the
// client has gone, a read or a write comes back with ok == false, and Finish is due all the same.

ServerUnaryReactor *Done(CallbackServerContext *context) {
  ServerUnaryReactor *reactor = context->DefaultReactor();
  reactor->Finish(Status::OK);
  return reactor;
}

void SetItem(api::Item *item, int32_t id) {
  item->set_id(id);
  item->set_name("name " + std::to_string(id));
}

class ItemWriter final : public grpc::ServerWriteReactor<api::Item> {
 public:
  explicit ItemWriter(int32_t length) : length_(length) { WriteNext(); }

  void OnWriteDone(bool ok) override {
    if (ok)
      WriteNext();
    else
      Finish(Status(grpc::StatusCode::CANCELLED, "the client has gone"));
  }

  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (sent_ >= length_) {
      Finish(Status::OK);
      return;
    }
    SetItem(&item_, ++sent_);
    StartWrite(&item_);
  }

  api::Item item_;
  int32_t sent_ = 0;
  const int32_t length_;
};

class ApiService final : public api::Api::CallbackService {
  ServerUnaryReactor *sayHello(CallbackServerContext *context, const api::HelloRequest *request,
                               api::Hello *reply) override {
    reply->set_message("Hello " + request->name() + "!");
    return Done(context);
  }

  ServerUnaryReactor *getAll(CallbackServerContext *context, const api::ApiRequest *request,
                             api::Items *reply) override {
    for (int32_t id = 1; id <= request->length(); id++) SetItem(reply->add_items(), id);
    return Done(context);
  }

  grpc::ServerWriteReactor<api::Item> *getStream(CallbackServerContext *,
                                                 const api::ApiRequest *request) override {
    return new ItemWriter(request->length());
  }
};

class Collector final : public grpc::ServerReadReactor<bench::Payload> {
 public:
  explicit Collector(bench::Summary *summary) : summary_(summary) { StartRead(&message_); }

  void OnReadDone(bool ok) override {
    if (!ok) {
      summary_->set_messages(messages_);
      summary_->set_bytes(bytes_);
      Finish(Status::OK);
      return;
    }
    messages_++;
    bytes_ += static_cast<int64_t>(message_.body().size());
    StartRead(&message_);
  }

  void OnDone() override { delete this; }

 private:
  bench::Payload message_;
  bench::Summary *const summary_;
  int64_t messages_ = 0;
  int64_t bytes_ = 0;
};

// One message at a time: read it, write it, read the next.
class Chatter final : public grpc::ServerBidiReactor<bench::Payload, bench::Payload> {
 public:
  Chatter() { StartRead(&message_); }

  void OnReadDone(bool ok) override {
    if (ok)
      StartWrite(&message_);
    else
      Finish(Status::OK);
  }

  void OnWriteDone(bool ok) override {
    if (ok)
      StartRead(&message_);
    else
      Finish(Status(grpc::StatusCode::CANCELLED, "the client has gone"));
  }

  void OnDone() override { delete this; }

 private:
  bench::Payload message_;
};

class Pauser final : public ServerUnaryReactor {
 public:
  explicit Pauser(int32_t milliseconds) {
    alarm_.Set(std::chrono::system_clock::now() + std::chrono::milliseconds(milliseconds),
               [this](bool) { Finish(Status::OK); });
  }

  void OnDone() override { delete this; }

 private:
  grpc::Alarm alarm_;
};

class BenchService final : public bench::Bench::CallbackService {
  ServerUnaryReactor *echo(CallbackServerContext *context, const bench::Payload *request,
                           bench::Payload *reply) override {
    reply->set_body(request->body());
    return Done(context);
  }

  grpc::ServerReadReactor<bench::Payload> *collect(CallbackServerContext *,
                                                   bench::Summary *summary) override {
    return new Collector(summary);
  }

  grpc::ServerBidiReactor<bench::Payload, bench::Payload> *chat(CallbackServerContext *) override {
    return new Chatter;
  }

  ServerUnaryReactor *pause(CallbackServerContext *, const bench::Pause *request,
                            bench::Payload *) override {
    return new Pauser(request->milliseconds());
  }
};

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    std::cerr << "usage: grpc-cpp PORT\n";
    return 2;
  }
  const std::string address = std::string("127.0.0.1:") + argv[1];
  ApiService api_service;
  BenchService bench_service;
  grpc::ServerBuilder builder;
  int bound = 0;

  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &bound);
  builder.RegisterService(&api_service);
  builder.RegisterService(&bench_service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server || bound == 0) {
    std::cerr << "grpc-cpp: can't listen on " << address << '\n';
    return EXIT_FAILURE;
  }
  server->Wait();
  return EXIT_SUCCESS;
}
