# SPDX-License-Identifier: MIT
"""grpc.channelz.v1.Channelz: grpcio's own stub asks for figures that the test knows."""

import ipaddress
import os
import pathlib
import random
import resource
import time
from socket import create_connection

import grpc
import pytest
from grpc_channelz.v1 import channelz_pb2 as pb
from grpc_channelz.v1 import channelz_pb2_grpc
from hyperframe.frame import SettingsFrame

from certificates import Certificate
from conftest import channel
from netns import network
from servers import PATIENCE, eventually, free_port
from wire import PREFACE, WINDOW_MAX, Wire, message

MODES = {"plain": [], "rings": ["--rings", 3], "offloaded": ["--offload-all", "--rings", 2]}


class Channelz:
    def __init__(self, opened):
        self.stub = channelz_pb2_grpc.ChannelzStub(opened)

    def server(self):
        response = self.stub.GetServers(pb.GetServersRequest(), timeout=PATIENCE)
        assert response.end
        (server,) = response.server
        return server

    def page(self, start=0, wanted=0):
        request = pb.GetServerSocketsRequest(
            server_id=self.server().ref.server_id, start_socket_id=start, max_results=wanted
        )
        return self.stub.GetServerSockets(request, timeout=PATIENCE)

    def socket(self, id_):
        return self.stub.GetSocket(pb.GetSocketRequest(socket_id=id_), timeout=PATIENCE).socket

    def sockets(self):
        page = self.page()
        assert page.end
        return [self.socket(reference.socket_id) for reference in page.socket_ref]

    def of(self, wire):
        """The socket at whose other end @wire is."""
        port = wire.socket.getsockname()[1]
        (found,) = (one for one in self.sockets() if one.remote.tcpip_address.port == port)
        return found


@pytest.fixture(params=MODES)
def server(request, start):
    return start("test-server", *MODES[request.param])


@pytest.fixture
def channelz(server, connect):
    return Channelz(connect(server))


def code_of(call, request):
    with pytest.raises(grpc.RpcError) as error:
        call(request, timeout=PATIENCE)
    return error.value.code()


def is_recent(timestamp):
    return abs(time.time() - timestamp.ToNanoseconds() / 1e9) < PATIENCE


def test_calls_of_the_server(channelz, server, calls):
    before = channelz.server().data
    with Wire(server) as wire:
        for _ in range(20):
            assert wire.call("/calls.Calls/Echo").status == 0
        for _ in range(3):
            assert wire.call("/calls.Calls/Status", calls.StatusRequest(code=9).SerializeToString()).status == 9
        assert wire.call("/calls.Calls/NoSuch").status == 12
        stream = wire.request("/calls.Calls/Wait")
        assert wire.ping()
        wire.reset(stream)
        assert wire.ping()

        def failed():
            return channelz.server().data.calls_failed == before.calls_failed + 5

        eventually(failed, "they are counted")
    data = channelz.server().data
    assert data.calls_succeeded >= before.calls_succeeded + 20
    assert data.calls_started > data.calls_succeeded + data.calls_failed  # this one is not over
    assert is_recent(data.last_call_started_timestamp)


def test_a_connection(channelz, server, calls):
    with Wire(server, window=WINDOW_MAX) as wire:
        assert wire.ping()
        fresh = channelz.of(wire).data
        assert fresh == pb.SocketData(
            local_flow_control_window=fresh.local_flow_control_window,
            remote_flow_control_window=fresh.remote_flow_control_window,
        )
        assert wire.call("/calls.Calls/Echo").status == 0
        count = calls.CountRequest(count=50).SerializeToString()
        assert wire.call("/calls.Calls/Count", count).status == 0
        numbers = b"".join(message(calls.Number(value=i).SerializeToString()) for i in range(7))
        stream = wire.request("/calls.Calls/Sum", end=False)
        wire.data(stream, numbers, end=True)
        assert wire.answer(stream).status == 0
        reset = wire.request("/calls.Calls/Wait")
        open_ = wire.request("/calls.Calls/Wait")
        assert wire.ping()
        wire.reset(reset)
        assert wire.ping()
        socket = channelz.of(wire)
        data = socket.data
        assert data.streams_started == 5
        assert (data.streams_succeeded, data.streams_failed) == (3, 1)
        assert (data.messages_received, data.messages_sent) == (1 + 1 + (1 + 7) + 2, 1 + 50 + 1)
        assert is_recent(data.last_remote_stream_created_timestamp)
        assert is_recent(data.last_message_sent_timestamp)
        assert is_recent(data.last_message_received_timestamp)
        assert not data.HasField("last_local_stream_created_timestamp")
        assert not socket.HasField("security")
        host, port = wire.socket.getpeername()
        assert socket.local.tcpip_address.port == port
        assert socket.local.tcpip_address.ip_address == ipaddress.ip_address(host).packed
        assert socket.ref.name == f"ipv4:127.0.0.1:{wire.socket.getsockname()[1]}"
        wire.reset(open_)


def test_flow_control_windows(channelz, server, calls):
    """Ours is what Wire has granted the connection, less what has come; the peer's what the server has granted."""
    with Wire(server) as wire:
        big = wire.call("/calls.Calls/Big", calls.Number(value=100_000).SerializeToString())
        assert big.status == 0
        data = channelz.of(wire).data
        assert data.local_flow_control_window.value == WINDOW_MAX - len(big.data)
        granted = 65535 + wire.windows[0]
        assert 0 < data.remote_flow_control_window.value <= granted


def test_the_cipher_of_tls(start, tmp_path):
    authority = Certificate(tmp_path, "ca")
    own = Certificate(tmp_path, "server", authority, names=["localhost"])
    server = start("quoit-api", "--port", 0, "--tls-cert", own.file, "--tls-key", own.key_file)
    credentials = grpc.ssl_channel_credentials(authority.pem)
    with grpc.secure_channel(f"localhost:{server.port}", credentials) as opened:
        (socket,) = Channelz(opened).sockets()
        assert socket.security.tls.standard_name.startswith("TLS_")
    with Wire(server) as wire:  # no TLS at all: it never gets through the handshake
        wire.read_to_end()


def test_keepalives_are_counted(start, connect):
    server = start("test-server", "--limit", "keepalive_ms=100", "--limit", "keepalive_timeout_ms=20000")
    channelz = Channelz(connect(server))
    with Wire(server) as wire:
        assert wire.ping()
        wire.read(lambda: len(wire.pings) >= 2, "the server asks for a sign of life")
        assert channelz.of(wire).data.keep_alives_sent >= 2


def test_listeners(channelz, server):
    (listener,) = channelz.server().listen_socket
    assert listener.name == server.target
    socket = channelz.socket(listener.socket_id)
    assert (socket.ref.name, socket.local.tcpip_address.port) == (server.target, server.port)
    assert not socket.HasField("remote")
    assert listener.socket_id not in [one.socket_id for one in channelz.page().socket_ref]


def test_zone(start, tmp_path):
    """channelz has no place for the interface, but the address is one."""
    path = f"unix:{tmp_path}/socket"  # what gRPC's threads reach from every network
    with network() as net, channel(path) as opened:
        net.add_address("fe80::1")
        server = net.run(lambda: start("test-server", "--address", "[fe80::1%lo]:0", "--address", path))
        port = int(server.log[0].rsplit(":", 1)[1])
        with net.run(lambda: create_connection(("fe80::1%lo", port))):
            channelz = Channelz(opened)
            listener, _ = (channelz.socket(one.socket_id) for one in channelz.server().listen_socket)
            assert listener.ref.name == f"[fe80::1%lo]:{port}"
            (own,) = eventually(
                lambda: [one for one in channelz.sockets() if one.remote.HasField("tcpip_address")], "the connection"
            )
            assert own.local.tcpip_address.port == port
            for address in listener.local, own.local, own.remote:
                assert address.tcpip_address.ip_address == ipaddress.ip_address("fe80::1").packed


def test_other_addresses(start, tmp_path):
    path = f"unix:{tmp_path}/socket"
    name = f"unix-abstract:quoit-channelz-{os.getpid()}"
    server = start("test-server", "--address", "[::1]:0", "--address", path, "--address", name)
    with channel(path) as opened:
        channelz = Channelz(opened)
        v6, unix, abstract = (channelz.socket(one.socket_id) for one in channelz.server().listen_socket)
        assert v6.local.tcpip_address.ip_address == ipaddress.ip_address("::1").packed
        assert unix.local.uds_address.filename == f"{tmp_path}/socket"
        assert abstract.local.other_address.name == name
        (own,) = channelz.sockets()
        assert own.local.uds_address.filename == f"{tmp_path}/socket"
    assert server.port == 0 or server.port > 0


def test_pages(channelz, server):
    wires = [Wire(server) for _ in range(150)]
    for wire in wires:
        assert wire.ping()
    whole, start_ = [], 0
    while True:
        page = channelz.page(start_)
        ids = [reference.socket_id for reference in page.socket_ref]
        assert ids == sorted(set(ids)) and len(ids) <= 100
        assert all(id_ >= start_ for id_ in ids)
        whole += ids
        if page.end:
            break
        start_ = ids[-1] + 1
    assert len(whole) == 151  # and our own
    names = {channelz.socket(id_).ref.name for id_ in whole[:20]}
    assert len(names) == 20
    three = channelz.page(whole[5], 3)
    assert [one.socket_id for one in three.socket_ref] == whole[5:8] and not three.end
    last = channelz.page(whole[-1], 3)
    assert [one.socket_id for one in last.socket_ref] == whole[-1:] and last.end
    after = channelz.page(whole[-1] + 1)
    assert (len(after.socket_ref), after.end) == (0, True)
    for wire in wires:
        wire.socket.close()
    eventually(lambda: len(channelz.page().socket_ref) == 1, "the others are gone")
    gone = pb.GetSocketRequest(socket_id=whole[0] if whole[0] != channelz.page().socket_ref[0].socket_id else whole[1])
    assert code_of(channelz.stub.GetSocket, gone) == grpc.StatusCode.NOT_FOUND


@pytest.fixture
def many_descriptors():
    """As many as may be had, for this process and the servers that it starts."""
    old = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (old[1], old[1]))
    yield old[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, old)


def open_connections(server, count):
    """Idle ones, past their handshake."""
    connections = []
    for _ in range(count):
        connections.append(create_connection(("127.0.0.1", server.port), timeout=PATIENCE))
        connections[-1].sendall(PREFACE + SettingsFrame().serialize())
    return connections


def processor_ns(server, work):
    """What the server's ring spends on @work."""

    def spent():
        return int(pathlib.Path(f"/proc/{server.pid}/schedstat").read_text().split()[0])

    before = spent()
    work()
    return spent() - before


class Crowded:
    """A server with @count idle connections besides our own."""

    def __init__(self, start, connect, count):
        self.server = start("test-server")
        self.channelz = Channelz(connect(self.server))
        # twice, so that those who are next to each other in memory came at different times
        for one in random.Random(1).sample(open_connections(self.server, count), count):
            one.close()
        eventually(lambda: len(self.channelz.page().socket_ref) == 1, "they are gone")
        self.connections = open_connections(self.server, count)
        self.last = self.channelz.page().socket_ref[1].socket_id + count - 1
        eventually(lambda: self.channelz.page(self.last).socket_ref, "all are open")

    def ask(self):
        for i in range(50):
            assert self.channelz.socket(self.last - i % 10)
        for i in range(5):
            assert len(self.channelz.page(self.last - 50 - i, 10).socket_ref) == 10

    def cost(self):
        return processor_ns(self.server, self.ask)


def test_a_socket_costs_the_same_among_many(many_descriptors, start, connect):
    """Looked up, not searched for: with 100 connections and with 9,000."""
    many = min(9_000, many_descriptors - 500)
    assert many >= 3_000, "the old way would pass with so few"
    crowds = [Crowded(start, connect, count) for count in (100, many)]
    # by turns: the machine has slow moments
    few, lots = map(min, zip(*([crowd.cost() for crowd in crowds] for _ in range(10))))
    for crowd in crowds:
        for one in crowd.connections:
            one.close()
    assert lots < 2 * few, (few, lots)


def test_connections_come_and_go_while_it_asks(channelz, server):
    for _ in range(100):
        with Wire(server) as wire:
            assert wire.ping()
            assert channelz.page().socket_ref


def test_there_are_no_channels(channelz):
    top = channelz.stub.GetTopChannels(pb.GetTopChannelsRequest(), timeout=PATIENCE)
    assert top == pb.GetTopChannelsResponse(end=True)
    for call, request in (
        (channelz.stub.GetChannel, pb.GetChannelRequest(channel_id=1)),
        (channelz.stub.GetSubchannel, pb.GetSubchannelRequest(subchannel_id=1)),
    ):
        assert code_of(call, request) == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("id_", [0, -1, 2, 10**18, -(2**63), 2**63 - 1])
def test_unknown_ids(channelz, id_):
    stub = channelz.stub
    requests = [
        (stub.GetServer, pb.GetServerRequest(server_id=id_)),
        (stub.GetServerSockets, pb.GetServerSocketsRequest(server_id=id_)),
    ]
    if id_ != 2:  # the listener's
        requests.append((stub.GetSocket, pb.GetSocketRequest(socket_id=id_)))
    for call, request in requests:
        assert code_of(call, request) == grpc.StatusCode.NOT_FOUND


def test_limits_of_pages(channelz):
    for wanted in (-1, -(2**63), 2**63 - 1):
        assert len(channelz.page(0, wanted).socket_ref) == 1
    for start_ in (-1, -(2**63)):
        assert len(channelz.page(start_).socket_ref) == 1
    assert not channelz.page(2**63 - 1).socket_ref
    servers = channelz.stub.GetServers(pb.GetServersRequest(start_server_id=2), timeout=PATIENCE)
    assert servers == pb.GetServersResponse(end=True)


def test_quoit_api(start, connect):
    server = start("quoit-api", "--port", 0)
    assert Channelz(connect(server)).server().listen_socket
    server = start("quoit-api", "--port", 0, "--no-channelz")
    stub = Channelz(connect(server)).stub
    assert code_of(stub.GetServers, pb.GetServersRequest()) == grpc.StatusCode.UNIMPLEMENTED


# ---- clients in the same process ----


class Clients:
    """A server with a client that calls @backends, and the channels that its channelz has."""

    def __init__(self, start, connect, *targets, **options):
        words = [word for target in targets for word in ("--client", target)]
        self.server = start("test-server", *words, **options)
        self.stub = Channelz(connect(self.server)).stub

    def page(self, start=0, wanted=0):
        request = pb.GetTopChannelsRequest(start_channel_id=start, max_results=wanted)
        return self.stub.GetTopChannels(request, timeout=PATIENCE)

    def channel(self, id_):
        return self.stub.GetChannel(pb.GetChannelRequest(channel_id=id_), timeout=PATIENCE).channel

    def subchannel(self, id_):
        return self.stub.GetSubchannel(pb.GetSubchannelRequest(subchannel_id=id_), timeout=PATIENCE).subchannel

    def socket(self, id_):
        return self.stub.GetSocket(pb.GetSocketRequest(socket_id=id_), timeout=PATIENCE).socket


State = pb.ChannelConnectivityState


def test_a_client(start, connect):
    backend = start("test-server")
    clients = Clients(start, connect, backend.target)
    page = clients.page()
    assert page.end
    (channel,) = page.channel
    alone = clients.channel(channel.ref.channel_id)  # its times are put on the wall clock anew
    assert (alone.ref, alone.subchannel_ref) == (channel.ref, channel.subchannel_ref)
    assert (channel.ref.name, channel.data.target, channel.data.state.state) == (
        f"dns:///{backend.target}",
        f"dns:///{backend.target}",
        State.READY,
    )
    (reference,) = channel.subchannel_ref
    subchannel = clients.subchannel(reference.subchannel_id)
    assert subchannel.ref == reference
    assert subchannel.data.target == reference.name == f"ipv4:{backend.target}"
    assert subchannel.data.state.state == State.READY
    for data in channel.data, subchannel.data:
        assert (data.calls_started, data.calls_succeeded, data.calls_failed) == (4, 3, 1)
        assert is_recent(data.last_call_started_timestamp) and is_recent(data.trace.creation_timestamp)
        assert data.trace.num_events_logged == len(data.trace.events)
        assert all(is_recent(event.timestamp) for event in data.trace.events)
    words = [event.description for event in channel.data.trace.events]
    assert words == ["it begins", "CONNECTING", "READY"]
    words = [event.description for event in subchannel.data.trace.events]
    assert words == ["IDLE", "CONNECTING", "READY", "connected"]
    (reference,) = subchannel.socket_ref
    socket = clients.socket(reference.socket_id)
    assert socket.ref == reference
    assert socket.remote.tcpip_address.port == backend.port
    assert socket.local.tcpip_address.ip_address == ipaddress.ip_address("127.0.0.1").packed
    data = socket.data
    assert (data.streams_started, data.streams_succeeded, data.streams_failed) == (4, 4, 0)
    assert (data.messages_sent, data.messages_received) == (4, 3)
    assert is_recent(data.last_local_stream_created_timestamp) and is_recent(data.last_message_sent_timestamp)
    assert not data.HasField("last_remote_stream_created_timestamp")
    # the other end of it, as the backend has it
    assert [socket.local.tcpip_address.port] == [
        one.remote.tcpip_address.port
        for one in Channelz(connect(backend)).sockets()
        if one.remote.tcpip_address.port == socket.local.tcpip_address.port
    ]
    own = Channelz(connect(clients.server))
    ids = [own.server().ref.server_id, own.server().listen_socket[0].socket_id]
    ids += [one.socket_id for one in own.page().socket_ref]
    ids += [channel.ref.channel_id, subchannel.ref.subchannel_id, socket.ref.socket_id]
    assert len(set(ids)) == len(ids)


def test_a_client_whose_server_is_away(start, connect):
    clients = Clients(start, connect, f"127.0.0.1:{free_port()}")
    (channel,) = clients.page().channel
    assert channel.data.state.state == State.TRANSIENT_FAILURE
    assert (channel.data.calls_started, channel.data.calls_failed) == (4, 4)
    subchannel = clients.subchannel(channel.subchannel_ref[0].subchannel_id)
    assert not subchannel.socket_ref
    (event,) = [event for event in subchannel.data.trace.events if event.severity == pb.ChannelTraceEvent.CT_WARNING]
    assert event.description.startswith("cannot connect: connect: Connection refused (ECONNREFUSED); the next attempt")


def test_a_connection_that_ends(start, connect):
    """Its events say why; the socket is gone; and the events are bounded."""
    backend = start("test-server")
    clients = Clients(start, connect, backend.target)
    (channel,) = clients.page().channel
    id_ = channel.subchannel_ref[0].subchannel_id
    socket = clients.subchannel(id_).socket_ref[0].socket_id
    backend.stop()
    eventually(lambda: not clients.subchannel(id_).socket_ref, "it has no connection")
    assert any("the server sent GOAWAY" in event.description for event in clients.subchannel(id_).data.trace.events)
    request = pb.GetSocketRequest(socket_id=socket)
    eventually(lambda: code_or_none(clients.stub.GetSocket, request) == grpc.StatusCode.NOT_FOUND, "the socket is gone")


def code_or_none(call, request):
    try:
        call(request, timeout=PATIENCE)
    except grpc.RpcError as error:
        return error.code()
    return None


def test_pages_of_channels(start, connect):
    backend = start("test-server")
    clients = Clients(start, connect, *[backend.target] * 7)
    whole = [channel.ref.channel_id for channel in clients.page().channel]
    assert whole == sorted(set(whole)) and len(whole) == 7
    for wanted, end in ((3, False), (7, True), (8, True)):
        page = clients.page(0, wanted)
        assert ([one.ref.channel_id for one in page.channel], page.end) == (whole[:wanted], end)
    page = clients.page(whole[2] + 1, 2)
    assert ([one.ref.channel_id for one in page.channel], page.end) == (whole[3:5], False)
    page = clients.page(whole[-1] + 1)
    assert (len(page.channel), page.end) == (0, True)
    for id_ in -1, 0, 1, whole[0] - 1, whole[0] * 2, 10**18, 2**63 - 1, -(2**63):
        assert code_of(clients.stub.GetChannel, pb.GetChannelRequest(channel_id=id_)) == grpc.StatusCode.NOT_FOUND
        request = pb.GetSubchannelRequest(subchannel_id=id_)
        assert code_of(clients.stub.GetSubchannel, request) == grpc.StatusCode.NOT_FOUND
    request = pb.GetSubchannelRequest(subchannel_id=whole[0])  # it is a channel's
    assert code_of(clients.stub.GetSubchannel, request) == grpc.StatusCode.NOT_FOUND
