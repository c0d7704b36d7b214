// SPDX-License-Identifier: MIT

// The bench's services on grpc-go, all at its defaults. GOMAXPROCS is the runtime's own.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"

	"quoit/bench/peers/grpc-go/api"
	"quoit/bench/peers/grpc-go/bench"
)

type apiServer struct {
	api.UnimplementedApiServer
}

func (apiServer) SayHello(_ context.Context, request *api.HelloRequest) (*api.Hello, error) {
	return &api.Hello{Message: "Hello " + request.GetName() + "!"}, nil
}

func item(id int32) *api.Item {
	return &api.Item{Id: id, Name: fmt.Sprintf("name %d", id)}
}

func (apiServer) GetAll(_ context.Context, request *api.ApiRequest) (*api.Items, error) {
	items := make([]*api.Item, 0, max(0, request.GetLength()))
	for id := int32(1); id <= request.GetLength(); id++ {
		items = append(items, item(id))
	}
	return &api.Items{Items: items}, nil
}

func (apiServer) GetStream(request *api.ApiRequest, stream grpc.ServerStreamingServer[api.Item]) error {
	for id := int32(1); id <= request.GetLength(); id++ {
		if err := stream.Send(item(id)); err != nil {
			return err
		}
	}
	return nil
}

type benchServer struct {
	bench.UnimplementedBenchServer
}

func (benchServer) Echo(_ context.Context, request *bench.Payload) (*bench.Payload, error) {
	return request, nil
}

func (benchServer) Collect(stream grpc.ClientStreamingServer[bench.Payload, bench.Summary]) error {
	summary := &bench.Summary{}
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			return stream.SendAndClose(summary)
		}
		if err != nil {
			return err
		}
		summary.Messages++
		summary.Bytes += int64(len(message.GetBody()))
	}
}

func (benchServer) Chat(stream grpc.BidiStreamingServer[bench.Payload, bench.Payload]) error {
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(message); err != nil {
			return err
		}
	}
}

func (benchServer) Pause(_ context.Context, request *bench.Pause) (*bench.Payload, error) {
	time.Sleep(time.Duration(request.GetMilliseconds()) * time.Millisecond)
	return &bench.Payload{}, nil
}

func run(port string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	api.RegisterApiServer(server, apiServer{})
	bench.RegisterBenchServer(server, benchServer{})
	return server.Serve(listener)
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: grpc-go PORT")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "grpc-go:", err)
		os.Exit(1)
	}
}
