// A load of unary calls over containerd's ttrpc client: requests a second, and how long each took.
package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"log"
	"net"
	"sort"
	"sync"
	"sync/atomic"
	"time"

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

var (
	address  = flag.String("addr", "", "path of the unix socket")
	service  = flag.String("service", "bench.v1.Echo", "service to call")
	method   = flag.String("method", "Echo", "method to call")
	payload  = flag.Int("payload", 64, "bytes in field 1; 0: an empty message")
	raw      = flag.String("hex", "", "the whole message in hexadecimal, instead of a payload")
	conns    = flag.Int("conns", 1, "connections")
	inflight = flag.Int("inflight", 1, "calls in flight on each")
	duration = flag.Duration("d", time.Second, "how long to call")
	echo     = flag.Bool("echo", true, "the answer must be the request")
)

// request is what -hex says, else a bytes field with number 1 and at most 127 bytes.
func request() []byte {
	if *raw != "" {
		data, err := hex.DecodeString(*raw)
		if err != nil {
			log.Fatal(err)
		}
		return data
	}
	if *payload == 0 {
		return nil
	}
	return append([]byte{0x0a, byte(*payload)}, bytes.Repeat([]byte{0x5a}, *payload)...)
}

func caller(client *ttrpc.Client, stop *atomic.Bool) []time.Duration {
	ask, answer := &Message{data: request()}, &Message{}
	var took []time.Duration
	for !stop.Load() {
		begun := time.Now()
		if err := client.Call(context.Background(), *service, *method, ask, answer); err != nil {
			log.Fatalf("%s/%s: %v", *service, *method, err)
		}
		took = append(took, time.Since(begun))
		if *echo && !bytes.Equal(ask.data, answer.data) {
			log.Fatalf("answer %x, expected %x", answer.data, ask.data)
		}
	}
	return took
}

func main() {
	flag.Parse()
	var stop atomic.Bool
	var all []time.Duration
	var lock sync.Mutex
	var callers sync.WaitGroup

	begun := time.Now()
	for i := 0; i < *conns; i++ {
		conn, err := net.Dial("unix", *address)
		if err != nil {
			log.Fatal(err)
		}
		client := ttrpc.NewClient(conn)
		for j := 0; j < *inflight; j++ {
			callers.Add(1)
			go func() {
				defer callers.Done()
				took := caller(client, &stop)
				lock.Lock()
				all = append(all, took...)
				lock.Unlock()
			}()
		}
	}
	time.Sleep(*duration)
	stop.Store(true)
	callers.Wait()
	elapsed := time.Since(begun)
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	microseconds := func(part float64) float64 {
		return float64(all[int(part*float64(len(all)-1))].Nanoseconds()) / 1000
	}
	fmt.Printf("%.0f %.1f %.1f\n",
		float64(len(all))/elapsed.Seconds(), microseconds(0.5), microseconds(0.99))
}
