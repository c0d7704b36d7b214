// SPDX-License-Identifier: MIT

// The bench's client on grpc-go, at its defaults: PORT METHOD CONNECTIONS STREAMS WARMUP SECONDS, as bench/client/main.c.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"quoit/bench/peers/grpc-go/api"
)

const items = 100

var calls atomic.Int64

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "grpc-go-client:", err)
		os.Exit(1)
	}
}

func sayHello(client api.ApiClient) error {
	reply, err := client.SayHello(context.Background(), &api.HelloRequest{Name: "World"})
	if err == nil && reply.GetMessage() != "Hello World!" {
		return fmt.Errorf("a wrong answer: %s", reply.GetMessage())
	}
	return err
}

func getAll(client api.ApiClient) error {
	reply, err := client.GetAll(context.Background(), &api.ApiRequest{Length: items})
	if err == nil && len(reply.GetItems()) != items {
		return fmt.Errorf("%d items", len(reply.GetItems()))
	}
	return err
}

func getStream(client api.ApiClient) error {
	stream, err := client.GetStream(context.Background(), &api.ApiRequest{Length: items})
	if err != nil {
		return err
	}
	for count := int32(0); ; count++ {
		item, err := stream.Recv()
		if err == io.EOF && count == items {
			return nil
		}
		if err != nil {
			return err
		}
		if item.GetId() != count+1 {
			return fmt.Errorf("item %d in place of %d", item.GetId(), count+1)
		}
	}
}

var methods = map[string]func(api.ApiClient) error{"sayHello": sayHello, "getAll": getAll, "getStream": getStream}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

func wait(text string) {
	seconds, err := strconv.ParseFloat(text, 64)
	check(err)
	time.Sleep(time.Duration(seconds * 1e9))
}

func repeat(call func(api.ApiClient) error, client api.ApiClient) {
	for {
		check(call(client))
		calls.Add(1)
	}
}

func main() {
	if len(os.Args) != 7 {
		check(fmt.Errorf("PORT METHOD CONNECTIONS STREAMS WARMUP SECONDS"))
	}
	call, known := methods[os.Args[2]]
	if !known {
		check(fmt.Errorf("there is no %s", os.Args[2]))
	}
	connections, err := strconv.Atoi(os.Args[3])
	check(err)
	streams, err := strconv.Atoi(os.Args[4])
	check(err)
	for range connections {
		connection, err := grpc.NewClient("127.0.0.1:"+os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
		check(err)
		for range streams {
			go repeat(call, api.NewApiClient(connection))
		}
	}
	wait(os.Args[5])
	began, cpu, before := time.Now(), cpuSeconds(), calls.Load()
	wait(os.Args[6])
	done, took := calls.Load()-before, time.Since(began).Seconds()
	fmt.Printf("{\"calls\": %d, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n", done, took, cpuSeconds()-cpu)
}
