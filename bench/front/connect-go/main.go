// SPDX-License-Identifier: MIT

// api.Api's unary methods on connect-go and net/http, all at their defaults. GOMAXPROCS is the runtime's own.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"connectrpc.com/connect"

	"quoit/bench/front/connect-go/api"
	"quoit/bench/front/connect-go/api/apiconnect"
)

type apiServer struct {
	apiconnect.UnimplementedApiHandler
}

func (apiServer) SayHello(_ context.Context, request *connect.Request[api.HelloRequest]) (*connect.Response[api.Hello], error) {
	return connect.NewResponse(&api.Hello{Message: "Hello " + request.Msg.GetName() + "!"}), nil
}

func (apiServer) GetAll(_ context.Context, request *connect.Request[api.ApiRequest]) (*connect.Response[api.Items], error) {
	items := make([]*api.Item, 0, max(0, request.Msg.GetLength()))
	for id := int32(1); id <= request.Msg.GetLength(); id++ {
		items = append(items, &api.Item{Id: id, Name: fmt.Sprintf("name %d", id)})
	}
	return connect.NewResponse(&api.Items{Items: items}), nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: connect-go PORT")
		os.Exit(2)
	}
	mux := http.NewServeMux()
	mux.Handle(apiconnect.NewApiHandler(apiServer{}))
	fmt.Fprintln(os.Stderr, "connect-go:", http.ListenAndServe("127.0.0.1:"+os.Args[1], mux))
	os.Exit(1)
}
