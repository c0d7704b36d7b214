// SPDX-License-Identifier: MIT

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.testing.integration.TestServiceImpl;
import java.util.concurrent.Executors;

/** grpc-java's server with its interoperability service, reflection and health. It prints its port. */
class Server {
  public static void main(String[] words) throws Exception {
    io.grpc.Server server =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
            .addService(new TestServiceImpl(Executors.newSingleThreadScheduledExecutor()))
            .addService(new HealthStatusManager().getHealthService())
            .addService(ProtoReflectionServiceV1.newInstance())
            .build()
            .start();
    System.out.println(server.getPort());
    server.awaitTermination();
  }
}
