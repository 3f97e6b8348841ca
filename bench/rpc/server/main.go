// An echo over containerd's ttrpc server: what pvw's server is measured against.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"

	"github.com/containerd/ttrpc"
)

// Message is a message as it stands on the wire.
type Message struct{ data []byte }

// Marshal and Unmarshal are what the ttrpc package asks of a message.
func (m *Message) Marshal() ([]byte, error)    { return m.data, nil }
func (m *Message) Unmarshal(data []byte) error { m.data = append(m.data[:0], data...); return nil }
func (m *Message) Reset()                      { m.data = nil }
func (m *Message) String() string              { return fmt.Sprintf("%x", m.data) }
func (m *Message) ProtoMessage()               {}

func echo(_ context.Context, unmarshal func(interface{}) error) (interface{}, error) {
	message := &Message{}
	if err := unmarshal(message); err != nil {
		return nil, err
	}
	return message, nil
}

func main() {
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	server, err := ttrpc.NewServer()
	if err != nil {
		log.Fatal(err)
	}
	server.Register("bench.v1.Echo", map[string]ttrpc.Method{"Echo": echo})
	log.Fatal(server.Serve(context.Background(), listener))
}
