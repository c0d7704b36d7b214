// SPDX-License-Identifier: MIT
// The bench's client on gRPC C++'s callback API, at its defaults: PORT METHOD CONNECTIONS STREAMS WARMUP SECONDS, as
// bench/client/main.c.
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "api.grpc.pb.h"

namespace {

constexpr int32_t kItems = 100;
std::atomic<uint64_t> calls{0};

[[noreturn]] void Die(const std::string &why) {
  std::cerr << "grpc-cpp-client: " << why << std::endl;
  _Exit(EXIT_FAILURE);
}

void Check(bool right, const char *what) {
  if (!right) Die(what);
}

// A call that begins anew when it is over; it lives as long as the process.
class Caller {
 public:
  explicit Caller(const std::shared_ptr<grpc::Channel> &channel) : stub_(api::Api::NewStub(channel)) {}
  virtual ~Caller() = default;

  void Begin() {
    context_ = std::make_unique<grpc::ClientContext>();
    Start();
  }

 protected:
  virtual void Start() = 0;

  void End(const grpc::Status &status) {
    if (!status.ok()) Die(status.error_message());
    calls.fetch_add(1, std::memory_order_relaxed);
    Begin();
  }

  std::unique_ptr<api::Api::Stub> stub_;
  std::unique_ptr<grpc::ClientContext> context_;
};

class Hello final : public Caller {
  using Caller::Caller;

  void Start() override {
    request_.set_name("World");
    reply_.Clear();
    stub_->async()->sayHello(context_.get(), &request_, &reply_, [this](grpc::Status status) {
      Check(!status.ok() || reply_.message() == "Hello World!", "a wrong answer");
      End(status);
    });
  }

  api::HelloRequest request_;
  api::Hello reply_;
};

class All final : public Caller {
  using Caller::Caller;

  void Start() override {
    request_.set_length(kItems);
    reply_.Clear();
    stub_->async()->getAll(context_.get(), &request_, &reply_, [this](grpc::Status status) {
      Check(!status.ok() || reply_.items_size() == kItems, "a wrong number of items");
      End(status);
    });
  }

  api::ApiRequest request_;
  api::Items reply_;
};

class Stream final : public Caller, public grpc::ClientReadReactor<api::Item> {
  using Caller::Caller;

  void Start() override {
    request_.set_length(kItems);
    count_ = 0;
    stub_->async()->getStream(context_.get(), &request_, this);
    StartRead(&item_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    Check(item_.id() == ++count_, "a wrong item");
    StartRead(&item_);
  }

  void OnDone(const grpc::Status &status) override {
    Check(!status.ok() || count_ == kItems, "a wrong number of items");
    End(status);
  }

  api::ApiRequest request_;
  api::Item item_;
  int32_t count_ = 0;
};

std::unique_ptr<Caller> MakeCaller(const std::string &method, const std::shared_ptr<grpc::Channel> &channel) {
  if (method == "sayHello") return std::make_unique<Hello>(channel);
  if (method == "getAll") return std::make_unique<All>(channel);
  if (method == "getStream") return std::make_unique<Stream>(channel);
  Die("there is no " + method);
}

double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void Wait(const char *seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(std::atof(seconds)));
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 7) Die("PORT METHOD CONNECTIONS STREAMS WARMUP SECONDS");
  std::vector<std::unique_ptr<Caller>> callers;
  for (int connection = 0; connection < std::atoi(argv[3]); connection++) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("bench.connection", connection);  // channels of equal arguments would share one
    auto channel = grpc::CreateCustomChannel(std::string("127.0.0.1:") + argv[1],
                                             grpc::InsecureChannelCredentials(), arguments);
    for (int stream = 0; stream < std::atoi(argv[4]); stream++) callers.push_back(MakeCaller(argv[2], channel));
  }
  for (auto &caller : callers) caller->Begin();
  Wait(argv[5]);
  const auto began = std::chrono::steady_clock::now();
  const double cpu = CpuSeconds();
  const uint64_t before = calls.load();
  Wait(argv[6]);
  const uint64_t done = calls.load() - before;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("{\"calls\": %llu, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n",
              static_cast<unsigned long long>(done), took.count(), CpuSeconds() - cpu);
  std::fflush(stdout);
  _Exit(EXIT_SUCCESS);  // calls go on to the end
}
