// SPDX-License-Identifier: MIT

// A grpc-go client of quoit-interop-server: calls of every kind, and says how each check went.
//
//	client ADDRESS PROTOS ADDRESS-OF-TEST-SERVER [CA CERTIFICATE KEY]
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

const (
	mib      = 1 << 20
	patience = 30 * time.Second
)

var checks = []struct {
	name string
	run  func(context.Context, pb.TestServiceClient) error
}{
	{"unary", unary},
	{"server_streaming", serverStreaming},
	{"client_streaming", clientStreaming},
	{"bidi", bidi},
	{"metadata", metadataBothWays},
	{"large_messages", largeMessages},
	{"status", statusAndText},
	{"unimplemented", unimplemented},
	{"deadline", deadline},
	{"cancellation", cancellation},
	{"compression", compression},
	{"error_details", errorDetails},
	{"thousand_streams", thousandStreams},
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Println(err)
		os.Exit(2)
	}
	return value
}

// What the last three arguments say: without them there is no TLS.
func security() credentials.TransportCredentials {
	if len(os.Args) < 7 {
		return insecure.NewCredentials()
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(must(os.ReadFile(os.Args[4])))
	own := must(tls.LoadX509KeyPair(os.Args[5], os.Args[6]))
	return credentials.NewTLS(&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}})
}

func main() {
	conn := must(grpc.NewClient(os.Args[1],
		grpc.WithTransportCredentials(security()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(32*mib))))
	stub := pb.NewTestServiceClient(conn)
	for _, check := range checks {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		if err := check.run(ctx, stub); err != nil {
			fmt.Printf("FAILED %s: %v\n", check.name, err)
		} else {
			fmt.Printf("ok %s\n", check.name)
		}
		cancel()
	}
}

func equal(what string, got, want any) error {
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s: %v, not %v", what, got, want)
	}
	return nil
}

func ended(err error, code codes.Code, text string) error {
	if got := status.Convert(err); got.Code() != code || text != "" && got.Message() != text {
		return fmt.Errorf("ended with %v, not with %v %q", err, code, text)
	}
	return nil
}

func asking(sizes ...int32) *pb.StreamingOutputCallRequest {
	request := &pb.StreamingOutputCallRequest{}
	for _, size := range sizes {
		request.ResponseParameters = append(request.ResponseParameters, &pb.ResponseParameters{Size: size})
	}
	return request
}

func payload(size int) *pb.Payload {
	return &pb.Payload{Body: bytes.Repeat([]byte{'x'}, size)}
}

// The sizes of all messages of a stream, and its end: nil where that was in order.
func receiveAll(receive func() (*pb.StreamingOutputCallResponse, error)) (sizes []int, err error) {
	for {
		message, err := receive()
		if errors.Is(err, io.EOF) {
			return sizes, nil
		}
		if err != nil {
			return sizes, err
		}
		sizes = append(sizes, len(message.GetPayload().GetBody()))
	}
}

func unary(ctx context.Context, stub pb.TestServiceClient) error {
	reply, err := stub.UnaryCall(ctx, &pb.SimpleRequest{ResponseSize: 1000})
	if err != nil {
		return err
	}
	return equal("size", len(reply.GetPayload().GetBody()), 1000)
}

func serverStreaming(ctx context.Context, stub pb.TestServiceClient) error {
	stream, err := stub.StreamingOutputCall(ctx, asking(0, 1, 100000, 3))
	if err != nil {
		return err
	}
	sizes, err := receiveAll(stream.Recv)
	if err != nil {
		return err
	}
	return equal("sizes", sizes, []int{0, 1, 100000, 3})
}

func clientStreaming(ctx context.Context, stub pb.TestServiceClient) error {
	stream, err := stub.StreamingInputCall(ctx)
	for _, size := range []int{0, 1, 100000, 3} {
		if err == nil {
			err = stream.Send(&pb.StreamingInputCallRequest{Payload: payload(size)})
		}
	}
	if err != nil {
		return err
	}
	reply, err := stream.CloseAndRecv()
	if err != nil {
		return err
	}
	return equal("bytes", reply.GetAggregatedPayloadSize(), int32(100004))
}

// One request, its answers, the next request.
func bidi(ctx context.Context, stub pb.TestServiceClient) error {
	stream, err := stub.FullDuplexCall(ctx)
	if err != nil {
		return err
	}
	for size := int32(1); size <= 20; size++ {
		if err := stream.Send(asking(size)); err != nil {
			return err
		}
		message, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := equal("size", len(message.GetPayload().GetBody()), int(size)); err != nil {
			return err
		}
	}
	stream.CloseSend()
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("behind the last message: %v", err)
	}
	return nil
}

func metadataBothWays(ctx context.Context, stub pb.TestServiceClient) error {
	const initial, trailing = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
	binary := string([]byte{0, 1, 254, 255, ','})
	ctx = metadata.AppendToOutgoingContext(ctx, initial, "text", trailing, binary)
	for _, code := range []codes.Code{codes.OK, codes.NotFound} {
		var header, trailer metadata.MD
		request := &pb.SimpleRequest{ResponseStatus: &pb.EchoStatus{Code: int32(code)}}
		_, err := stub.UnaryCall(ctx, request, grpc.Header(&header), grpc.Trailer(&trailer))
		err = errors.Join(
			ended(err, code, ""),
			equal("headers", header.Get(initial), []string{"text"}),
			equal("trailers", trailer.Get(trailing), []string{binary}))
		if err != nil {
			return err
		}
	}
	return nil
}

func largeMessages(ctx context.Context, stub pb.TestServiceClient) error {
	reply, err := stub.UnaryCall(ctx, &pb.SimpleRequest{ResponseSize: 20 * mib, Payload: payload(10 * mib)})
	if err != nil {
		return err
	}
	if err := equal("size", len(reply.GetPayload().GetBody()), 20*mib); err != nil {
		return err
	}
	_, err = stub.UnaryCall(ctx, &pb.SimpleRequest{Payload: payload(17 * mib)})
	return ended(err, codes.ResourceExhausted, "")
}

func statusAndText(ctx context.Context, stub pb.TestServiceClient) error {
	const text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈, 100 %\t\n"
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		wanted := &pb.EchoStatus{Code: int32(code), Message: text}
		_, err := stub.UnaryCall(ctx, &pb.SimpleRequest{ResponseStatus: wanted})
		if err := ended(err, code, text); err != nil {
			return err
		}
	}
	return nil
}

func unimplemented(ctx context.Context, stub pb.TestServiceClient) error {
	_, err := stub.UnimplementedCall(ctx, &pb.Empty{})
	return ended(err, codes.Unimplemented, "")
}

func deadline(ctx context.Context, stub pb.TestServiceClient) error {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	request := asking(1, 1)
	request.ResponseParameters[1].IntervalUs = 1_000_000
	stream, err := stub.StreamingOutputCall(ctx, request)
	if err != nil {
		return err
	}
	_, err = receiveAll(stream.Recv)
	return ended(err, codes.DeadlineExceeded, "")
}

func cancellation(ctx context.Context, stub pb.TestServiceClient) error {
	cancelled, cancel := context.WithCancel(ctx)
	stream, err := stub.FullDuplexCall(cancelled)
	if err == nil {
		err = stream.Send(asking(1))
	}
	if err == nil {
		_, err = stream.Recv()
	}
	cancel()
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	if err := ended(err, codes.Canceled, ""); err != nil {
		return err
	}
	return unary(ctx, stub) // the connection is as good as before
}

// What the server expects, and what it is asked for, is compressed.
func compression(ctx context.Context, stub pb.TestServiceClient) error {
	request := &pb.SimpleRequest{
		ResponseSize:       100000,
		Payload:            payload(100000),
		ExpectCompressed:   &pb.BoolValue{Value: true},
		ResponseCompressed: &pb.BoolValue{Value: true},
	}
	reply, err := stub.UnaryCall(ctx, request, grpc.UseCompressor(gzip.Name))
	if err != nil {
		return err
	}
	return equal("size", len(reply.GetPayload().GetBody()), 100000)
}

// Of calls.Calls.Details: code 3, message "no", violations {"name": "empty"}.
func errorDetails(ctx context.Context, _ pb.TestServiceClient) error {
	conn := must(grpc.NewClient(os.Args[3], grpc.WithTransportCredentials(insecure.NewCredentials())))
	defer conn.Close()
	request := &emptypb.Empty{} // the fields are unknown ones to it
	if err := proto.Unmarshal([]byte("\x08\x03\x12\x02no\x1a\x0d\x0a\x04name\x12\x05empty"), request); err != nil {
		return err
	}
	err := conn.Invoke(ctx, "/calls.Calls/Details", request, &emptypb.Empty{})
	if err := ended(err, codes.InvalidArgument, "no"); err != nil {
		return err
	}
	for _, detail := range status.Convert(err).Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok && len(bad.FieldViolations) == 1 {
			return equal("violation", bad.FieldViolations[0].GetDescription(), "empty")
		}
	}
	return fmt.Errorf("details: %v", status.Convert(err).Details())
}

// More streams at once, on one connection, than the server takes: the client's have to wait.
func thousandStreams(ctx context.Context, stub pb.TestServiceClient) error {
	const streams = 1000
	var all sync.WaitGroup
	results := make([]error, streams)
	for i := range results {
		all.Go(func() { results[i] = bidi(ctx, stub) })
	}
	all.Wait()
	return errors.Join(results...)
}
