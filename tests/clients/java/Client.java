// SPDX-License-Identifier: MIT

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.rpc.BadRequest;
import io.grpc.CallOptions;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.grpc.testing.integration.EmptyProtos.Empty;
import io.grpc.testing.integration.Messages.BoolValue;
import io.grpc.testing.integration.Messages.EchoStatus;
import io.grpc.testing.integration.Messages.Payload;
import io.grpc.testing.integration.Messages.ResponseParameters;
import io.grpc.testing.integration.Messages.SimpleRequest;
import io.grpc.testing.integration.Messages.SimpleResponse;
import io.grpc.testing.integration.Messages.StreamingInputCallRequest;
import io.grpc.testing.integration.Messages.StreamingInputCallResponse;
import io.grpc.testing.integration.Messages.StreamingOutputCallRequest;
import io.grpc.testing.integration.Messages.StreamingOutputCallResponse;
import io.grpc.testing.integration.TestServiceGrpc;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A grpc-java client of quoit-interop-server: calls of every kind, and says how each check went.
 *
 * <p>java Client ADDRESS PROTOS ADDRESS-OF-TEST-SERVER [CA CERTIFICATE KEY]
 */
public final class Client {
  private static final int MIB = 1 << 20;
  private static final long PATIENCE_MS = 30_000;

  private interface Check {
    void run() throws Exception;
  }

  private final TestServiceGrpc.TestServiceBlockingStub bare;
  private final TestServiceGrpc.TestServiceStub bareAsync;

  private final String testServer;

  private Client(ManagedChannel channel, String testServer) {
    this.testServer = testServer;
    bare = TestServiceGrpc.newBlockingStub(channel);
    bareAsync = TestServiceGrpc.newStub(channel);
  }

  public static void main(String[] arguments) throws Exception {
    ManagedChannel channel =
        NettyChannelBuilder.forTarget(arguments[0], security(arguments))
            .maxInboundMessageSize(32 * MIB)
            .build();
    new Client(channel, arguments[2]).checks().forEach(Client::report);
    channel.shutdownNow().awaitTermination(PATIENCE_MS, TimeUnit.MILLISECONDS);
  }

  /** What the last three arguments say: without them there is no TLS. */
  private static ChannelCredentials security(String[] arguments) throws Exception {
    if (arguments.length < 6) {
      return InsecureChannelCredentials.create();
    }
    return TlsChannelCredentials.newBuilder()
        .trustManager(new File(arguments[3]))
        .keyManager(new File(arguments[4]), new File(arguments[5]))
        .build();
  }

  private Map<String, Check> checks() {
    Map<String, Check> checks = new LinkedHashMap<>();
    checks.put("unary", this::unary);
    checks.put("server_streaming", this::serverStreaming);
    checks.put("client_streaming", this::clientStreaming);
    checks.put("bidi", () -> pingPong(20).get(PATIENCE_MS, TimeUnit.MILLISECONDS));
    checks.put("metadata", this::metadata);
    checks.put("large_messages", this::largeMessages);
    checks.put("status", this::status);
    checks.put("unimplemented", this::unimplemented);
    checks.put("deadline", this::deadline);
    checks.put("cancellation", this::cancellation);
    checks.put("compression", this::compression);
    checks.put("error_details", this::errorDetails);
    checks.put("thousand_streams", this::thousandStreams);
    return checks;
  }

  private static void report(String name, Check check) {
    try {
      check.run();
      System.out.println("ok " + name);
    } catch (Exception | AssertionError e) {
      System.out.println("FAILED " + name + ": " + e);
    }
  }

  // ---- what the checks have in common ----

  private TestServiceGrpc.TestServiceBlockingStub stub() {
    return bare.withDeadlineAfter(PATIENCE_MS, TimeUnit.MILLISECONDS);
  }

  private TestServiceGrpc.TestServiceStub async() {
    return bareAsync.withDeadlineAfter(PATIENCE_MS, TimeUnit.MILLISECONDS);
  }

  private static void equal(String what, Object got, Object wanted) {
    if (!got.equals(wanted)) {
      throw new AssertionError(what + ": " + got + ", not " + wanted);
    }
  }

  /** What @call, which must fail, fails with. */
  private static Status failure(Check call) throws Exception {
    try {
      call.run();
    } catch (StatusRuntimeException e) {
      return e.getStatus();
    }
    throw new AssertionError("it did not fail");
  }

  private static Payload payload(int size) {
    return Payload.newBuilder().setBody(ByteString.copyFrom(new byte[size])).build();
  }

  private static StreamingOutputCallRequest asking(int... sizes) {
    StreamingOutputCallRequest.Builder request = StreamingOutputCallRequest.newBuilder();
    for (int size : sizes) {
      request.addResponseParameters(ResponseParameters.newBuilder().setSize(size));
    }
    return request.build();
  }

  private static List<Integer> sizes(Iterator<StreamingOutputCallResponse> answers) {
    List<Integer> sizes = new ArrayList<>();
    answers.forEachRemaining(answer -> sizes.add(answer.getPayload().getBody().size()));
    return sizes;
  }

  /** One request, its answer, the next request. */
  private CompletableFuture<Void> pingPong(int count) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    List<Integer> received = Collections.synchronizedList(new ArrayList<>());
    async()
        .fullDuplexCall(
            new ClientResponseObserver<StreamingOutputCallRequest, StreamingOutputCallResponse>() {
              private ClientCallStreamObserver<StreamingOutputCallRequest> requests;

              @Override
              public void beforeStart(ClientCallStreamObserver<StreamingOutputCallRequest> stream) {
                requests = stream;
                stream.setOnReadyHandler(this::first);
              }

              private void first() {
                if (received.isEmpty()) {
                  received.add(0);
                  requests.onNext(asking(1));
                }
              }

              @Override
              public void onNext(StreamingOutputCallResponse answer) {
                int size = answer.getPayload().getBody().size();
                received.add(size);
                if (size < count) {
                  requests.onNext(asking(size + 1));
                } else {
                  requests.onCompleted();
                }
              }

              @Override
              public void onError(Throwable failure) {
                done.completeExceptionally(failure);
              }

              @Override
              public void onCompleted() {
                if (received.size() == count + 1) {
                  done.complete(null);
                } else {
                  done.completeExceptionally(new AssertionError("answers: " + received));
                }
              }
            });
    return done;
  }

  // ---- the checks ----

  private void unary() {
    SimpleResponse reply = stub().unaryCall(SimpleRequest.newBuilder().setResponseSize(1000).build());
    equal("size", reply.getPayload().getBody().size(), 1000);
  }

  private void serverStreaming() {
    List<Integer> sizes = sizes(stub().streamingOutputCall(asking(0, 1, 100000, 3)));
    equal("sizes", sizes, Arrays.asList(0, 1, 100000, 3));
  }

  private void clientStreaming() throws Exception {
    CompletableFuture<Integer> bytes = new CompletableFuture<>();
    StreamObserver<StreamingInputCallRequest> requests =
        async()
            .streamingInputCall(
                new StreamObserver<StreamingInputCallResponse>() {
                  @Override
                  public void onNext(StreamingInputCallResponse reply) {
                    bytes.complete(reply.getAggregatedPayloadSize());
                  }

                  @Override
                  public void onError(Throwable failure) {
                    bytes.completeExceptionally(failure);
                  }

                  @Override
                  public void onCompleted() {}
                });
    for (int size : new int[] {0, 1, 100000, 3}) {
      requests.onNext(StreamingInputCallRequest.newBuilder().setPayload(payload(size)).build());
    }
    requests.onCompleted();
    equal("bytes", bytes.get(PATIENCE_MS, TimeUnit.MILLISECONDS), 100004);
  }

  private void metadata() throws Exception {
    Metadata.Key<String> initial =
        Metadata.Key.of("x-grpc-test-echo-initial", Metadata.ASCII_STRING_MARSHALLER);
    Metadata.Key<byte[]> trailing =
        Metadata.Key.of("x-grpc-test-echo-trailing-bin", Metadata.BINARY_BYTE_MARSHALLER);
    byte[] bytes = {0, 1, -2, -1, ','};
    Metadata sent = new Metadata();
    sent.put(initial, "text");
    sent.put(trailing, bytes);
    for (int code : new int[] {0, Status.Code.NOT_FOUND.value()}) {
      AtomicReference<Metadata> headers = new AtomicReference<>();
      AtomicReference<Metadata> trailers = new AtomicReference<>();
      TestServiceGrpc.TestServiceBlockingStub stub =
          stub()
              .withInterceptors(
                  MetadataUtils.newAttachHeadersInterceptor(sent),
                  MetadataUtils.newCaptureMetadataInterceptor(headers, trailers));
      EchoStatus status = EchoStatus.newBuilder().setCode(code).build();
      Check call =
          () -> stub.unaryCall(SimpleRequest.newBuilder().setResponseStatus(status).build());
      if (code == 0) {
        call.run();
      } else {
        equal("status", failure(call).getCode().value(), code);
      }
      equal("headers", headers.get().get(initial), "text");
      equal("trailers", Arrays.toString(trailers.get().get(trailing)), Arrays.toString(bytes));
    }
  }

  private void largeMessages() throws Exception {
    SimpleRequest fits =
        SimpleRequest.newBuilder().setResponseSize(20 * MIB).setPayload(payload(10 * MIB)).build();
    equal("size", stub().unaryCall(fits).getPayload().getBody().size(), 20 * MIB);
    SimpleRequest over = SimpleRequest.newBuilder().setPayload(payload(17 * MIB)).build();
    Status status = failure(() -> stub().unaryCall(over));
    equal("status", status.getCode(), Status.Code.RESOURCE_EXHAUSTED);
  }

  private void status() throws Exception {
    String text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈, 100 %\t\n";
    for (int code = 1; code <= 16; code++) {
      EchoStatus wanted = EchoStatus.newBuilder().setCode(code).setMessage(text).build();
      SimpleRequest request = SimpleRequest.newBuilder().setResponseStatus(wanted).build();
      Status status = failure(() -> stub().unaryCall(request));
      equal("status", status.getCode().value(), code);
      equal("text", status.getDescription(), text);
    }
  }

  private void unimplemented() throws Exception {
    Status status = failure(() -> stub().unimplementedCall(Empty.getDefaultInstance()));
    equal("status", status.getCode(), Status.Code.UNIMPLEMENTED);
  }

  private void deadline() throws Exception {
    StreamingOutputCallRequest.Builder request = asking(1, 1).toBuilder();
    request.getResponseParametersBuilder(1).setIntervalUs(1_000_000);
    TestServiceGrpc.TestServiceBlockingStub stub =
        bare.withDeadlineAfter(100, TimeUnit.MILLISECONDS);
    Status status = failure(() -> sizes(stub.streamingOutputCall(request.build())));
    equal("status", status.getCode(), Status.Code.DEADLINE_EXCEEDED);
  }

  private void cancellation() throws Exception {
    CompletableFuture<Throwable> end = new CompletableFuture<>();
    async()
        .fullDuplexCall(
            new ClientResponseObserver<StreamingOutputCallRequest, StreamingOutputCallResponse>() {
              private ClientCallStreamObserver<StreamingOutputCallRequest> requests;

              @Override
              public void beforeStart(ClientCallStreamObserver<StreamingOutputCallRequest> stream) {
                requests = stream;
              }

              @Override
              public void onNext(StreamingOutputCallResponse answer) {
                requests.cancel("enough", null);
              }

              @Override
              public void onError(Throwable failure) {
                end.complete(failure);
              }

              @Override
              public void onCompleted() {
                end.complete(new AssertionError("it was not cancelled"));
              }
            })
        .onNext(asking(1));
    Status status = Status.fromThrowable(end.get(PATIENCE_MS, TimeUnit.MILLISECONDS));
    equal("status", status.getCode(), Status.Code.CANCELLED);
    unary(); // the connection is as good as before
  }

  /** What the server expects, and what it is asked for, is compressed. */
  private void compression() {
    BoolValue yes = BoolValue.newBuilder().setValue(true).build();
    SimpleRequest request =
        SimpleRequest.newBuilder()
            .setResponseSize(100000)
            .setPayload(payload(100000))
            .setExpectCompressed(yes)
            .setResponseCompressed(yes)
            .build();
    SimpleResponse reply = stub().withCompression("gzip").unaryCall(request);
    equal("size", reply.getPayload().getBody().size(), 100000);
  }

  /** Of calls.Calls.Details: code 3, message "no", violations {"name": "empty"}. */
  private void errorDetails() throws Exception {
    ManagedChannel channel =
        NettyChannelBuilder.forTarget(testServer, InsecureChannelCredentials.create()).build();
    MethodDescriptor<Empty, Empty> method =
        MethodDescriptor.<Empty, Empty>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName("calls.Calls/Details")
            .setRequestMarshaller(ProtoUtils.marshaller(Empty.getDefaultInstance()))
            .setResponseMarshaller(ProtoUtils.marshaller(Empty.getDefaultInstance()))
            .build();
    byte[] fields =
        "\b\3\22\2no\32\15\n\4name\22\5empty".getBytes(StandardCharsets.ISO_8859_1);
    Empty request = Empty.parseFrom(fields); // they are unknown ones to it
    CallOptions options =
        CallOptions.DEFAULT.withDeadlineAfter(PATIENCE_MS, TimeUnit.MILLISECONDS);
    try {
      ClientCalls.blockingUnaryCall(channel, method, options, request);
      throw new AssertionError("it did not fail");
    } catch (StatusRuntimeException e) {
      com.google.rpc.Status status = StatusProto.fromThrowable(e);
      Any detail = status.getDetails(0);
      equal("status", status.getCode(), Status.Code.INVALID_ARGUMENT.value());
      equal("text", status.getMessage(), "no");
      equal("violation", detail.unpack(BadRequest.class).getFieldViolations(0).getField(), "name");
    } finally {
      channel.shutdownNow();
    }
  }

  /** More streams at once, on one connection, than the server takes: the client's have to wait. */
  private void thousandStreams() throws Exception {
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      all.add(pingPong(3));
    }
    for (CompletableFuture<Void> one : all) {
      one.get(PATIENCE_MS, TimeUnit.MILLISECONDS);
    }
  }
}
