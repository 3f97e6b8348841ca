// A host agent in another language, over another implementation of ttrpc: containerd's. Messages
// are encoded by hand from the numbers of the .proto, so that nothing is shared with the worker.
//
//	interop PVW TREE.dtb
//
// It ends with "N passed, N failed, N skipped".
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/status"
)

const service = "pvw.v1.Worker"

// ---------------------------------------------------------------- protobuf by hand

type message struct{ data []byte }

func (m *message) Reset()                   { m.data = nil }
func (m *message) String() string           { return fmt.Sprintf("%d bytes", len(m.data)) }
func (m *message) ProtoMessage()            {}
func (m *message) Marshal() ([]byte, error) { return m.data, nil }
func (m *message) Unmarshal(b []byte) error {
	m.data = append([]byte(nil), b...)
	return nil
}

func put(buf []byte, v uint64) []byte {
	var tmp [binary.MaxVarintLen64]byte
	return append(buf, tmp[:binary.PutUvarint(tmp[:], v)]...)
}

func (m *message) num(field int, v uint64) *message {
	m.data = put(put(m.data, uint64(field)<<3), v)
	return m
}

func (m *message) raw(field int, b []byte) *message {
	m.data = append(put(put(m.data, uint64(field)<<3|2), uint64(len(b))), b...)
	return m
}

func (m *message) sub(field int, s *message) *message { return m.raw(field, s.data) }

func msg() *message { return &message{} }

type value struct {
	num uint64
	raw []byte
}

type fields map[int][]value

func decode(b []byte) (fields, error) {
	out := fields{}
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, fmt.Errorf("bad tag")
		}
		b = b[n:]
		var v value
		switch tag & 7 {
		case 0:
			v.num, n = binary.Uvarint(b)
			if n <= 0 {
				return nil, fmt.Errorf("bad number")
			}
			b = b[n:]
		case 1:
			if len(b) < 8 {
				return nil, fmt.Errorf("short fixed64")
			}
			v.num = binary.LittleEndian.Uint64(b)
			b = b[8:]
		case 2:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return nil, fmt.Errorf("bad length")
			}
			v.raw = b[n : n+int(size)]
			b = b[n+int(size):]
		default:
			return nil, fmt.Errorf("wire type %d", tag&7)
		}
		out[int(tag>>3)] = append(out[int(tag>>3)], v)
	}
	return out, nil
}

func (f fields) num(field int) uint64 {
	if v := f[field]; len(v) > 0 {
		return v[len(v)-1].num
	}
	return 0
}

func (f fields) raw(field int) []byte {
	if v := f[field]; len(v) > 0 {
		return v[len(v)-1].raw
	}
	return nil
}

func (f fields) sub(field int) fields {
	out, err := decode(f.raw(field))
	if err != nil {
		return fields{}
	}
	return out
}

func (f fields) list(field int) []fields {
	var out []fields
	for _, v := range f[field] {
		if one, err := decode(v.raw); err == nil {
			out = append(out, one)
		}
	}
	return out
}

// ---------------------------------------------------------------- checks

var (
	passed, failed int
	lock           sync.Mutex
)

func check(ok bool, format string, args ...interface{}) bool {
	lock.Lock()
	defer lock.Unlock()
	if ok {
		passed++
	} else {
		failed++
		fmt.Printf("FAILED: "+format+"\n", args...)
	}
	return ok
}

func finish() {
	fmt.Printf("%d passed, %d failed, 0 skipped\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
	os.Exit(0)
}

func must(ok bool, format string, args ...interface{}) {
	if !check(ok, format, args...) {
		finish()
	}
}

func try(c *ttrpc.Client, timeout time.Duration, name, method string, in *message) (fields, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	out := msg()
	if err := c.Call(ctx, name, method, in, out); err != nil {
		return nil, err
	}
	return decode(out.data)
}

func call(c *ttrpc.Client, method string, in *message) fields {
	out, err := try(c, 10*time.Second, service, method, in)
	must(err == nil, "%s: %v", method, err)
	return out
}

// The call is refused with that code, and if it is given with that diagnostic in the details.
func refuse(c *ttrpc.Client, method string, in *message, code uint32, diagnostic, word string) {
	_, err := try(c, 10*time.Second, service, method, in)
	st, _ := status.FromError(err)
	if !check(err != nil && uint32(st.Code()) == code, "%s: %v, expected code %d", method, err, code) {
		return
	}
	details := st.Proto().GetDetails()
	if !check(len(details) == 1, "%s: %d details, expected one", method, len(details)) {
		return
	}
	check(strings.HasSuffix(details[0].TypeUrl, "pvw.v1.Diagnostic"), "type %s", details[0].TypeUrl)
	d, err := decode(details[0].Value)
	check(err == nil && strings.HasPrefix(string(d.raw(2)), diagnostic), "%s: %s, expected %s", method, d.raw(2), diagnostic)
	check(strings.Contains(string(d.raw(3)), word), "%s: %q names no %s", method, d.raw(3), word)
	check(strings.Contains(st.Message(), word), "%s: the message %q stands alone", method, st.Message())
}

// ---------------------------------------------------------------- the conversation

const (
	stateEmpty  = 1
	stateLoaded = 5
)

func hello(c *ttrpc.Client) {
	out := call(c, "Hello", msg().num(1, 1).num(2, 1).raw(3, []byte("interop")))
	check(out.num(1) == 1, "major %d", out.num(1))
	check(out.num(6) == stateEmpty, "state %d", out.num(6))
	check(out.sub(7).num(1) == 4<<20, "max_frame %d", out.sub(7).num(1))
	for _, v := range out[5] {
		check(string(v.raw) != "save", "a feature that is not served: %s", v.raw)
	}
	refuse(c, "Hello", msg().num(1, 7).num(2, 9), 12, "PVW-SERVICE-0002", "7 to 9")
}

func prepare(c *ttrpc.Client, tree []byte) fields {
	entropy := bytes.Repeat([]byte{7}, 64)
	plan := msg().raw(1, entropy)
	refuse(c, "Plan", plan, 9, "PVW-SESSION-0001", "EMPTY")
	caps := msg().num(1, 46).num(4, 1)
	out := call(c, "LoadBootInfo", msg().num(1, 1).raw(3, tree).sub(8, caps))
	sum := sha256.Sum256(tree)
	check(out.sub(1).num(3) == 4, "%d processors", out.sub(1).num(3))
	check(bytes.Equal(out.sub(1).raw(8), sum[:]), "another tree")
	refuse(c, "Plan", plan, 9, "PVW-SESSION-0001", "BOOT_INFO")
	refuse(c, "LoadBootInfo", msg().num(1, 1).raw(3, tree[:40]).sub(8, caps), 3, "PVW-", "boot info")
	call(c, "Configure", msg().sub(1, msg().sub(3, msg().num(8, 1))))
	refuse(c, "Plan", msg().raw(1, entropy[:3]), 3, "PVW-MSG-0001", "3 bytes")
	out = call(c, "Plan", plan)
	again := call(c, "Plan", plan)
	check(len(out.raw(6)) == 32 && bytes.Equal(out.raw(6), again.raw(6)), "the digest changes")
	drawn := call(c, "Plan", msg())
	check(!bytes.Equal(out.raw(6), drawn.raw(6)), "the worker draws no entropy")
	return call(c, "Plan", plan)
}

func load(c *ttrpc.Client, plan fields, memory *os.File) {
	target := msg().num(1, 1)
	refuse(c, "Load", msg().raw(1, make([]byte, 32)).sub(2, target), 3, "PVW-SESSION-0003", "digest")
	out := call(c, "Load", msg().raw(1, plan.raw(6)).sub(2, target).num(3, 1))
	writes := plan.list(3)
	check(out.num(1) == uint64(len(writes)), "%d writes, planned %d", out.num(1), len(writes))
	whole := sha256.New()
	for _, write := range writes {
		data := make([]byte, write.num(2))
		_, err := memory.ReadAt(data, int64(write.num(1)))
		sum := sha256.Sum256(data)
		check(err == nil && bytes.Equal(sum[:], write.raw(4)), "%s in memory: %v", write.raw(3), err)
		whole.Write(data)
	}
	check(bytes.Equal(whole.Sum(nil), out.raw(3)), "the image is another one")
}

func artifacts(c *ttrpc.Client) {
	list := call(c, "ListArtifacts", msg()).list(1)
	check(len(list) > 0, "no artifacts")
	for _, artifact := range list {
		var data []byte
		for last := false; !last; {
			out := call(c, "GetArtifact",
				msg().raw(1, artifact.raw(1)).num(2, uint64(len(data))).num(3, 700))
			chunk := out.sub(2)
			check(chunk.num(3) == uint64(len(data)), "a chunk at %d", chunk.num(3))
			data = append(data, chunk.raw(4)...)
			last = chunk.num(5) == 1
			must(len(chunk.raw(4)) > 0 || last, "%s: no end", artifact.raw(1))
		}
		sum := sha256.Sum256(data)
		check(bytes.Equal(sum[:], artifact.raw(3)), "%s: another digest", artifact.raw(1))
		check(uint64(len(data)) == artifact.num(2), "%s: another size", artifact.raw(1))
	}
	refuse(c, "GetArtifact", msg().raw(1, []byte("nothing")), 5, "PVW-SERVICE-0004", "nothing")
}

func unimplemented(c *ttrpc.Client) {
	for _, method := range []string{"Save", "Restore"} {
		refuse(c, method, msg(), 12, "PVW-SERVICE-0001", method)
	}
	for _, name := range [][2]string{{service, "Dance"}, {"pvw.v9.Worker", "Hello"}} {
		_, err := try(c, 5*time.Second, name[0], name[1], msg())
		st, _ := status.FromError(err)
		check(err != nil && st.Code() == 12, "%v: %v", name, err)
	}
}

// Calls overtake each other on one connection, and a deadline ends one of them alone.
func together(c *ttrpc.Client) {
	var group sync.WaitGroup
	seq := call(c, "PollEvents", msg()).num(2)
	group.Add(1)
	go func() {
		defer group.Done()
		begun := time.Now()
		_, err := try(c, 400*time.Millisecond, service, "PollEvents", msg().num(1, seq).num(3, 20000))
		check(err != nil && time.Since(begun) < 5*time.Second, "a poll outlives its deadline: %v", err)
	}()
	for i := 0; i < 32; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			out, err := try(c, 10*time.Second, service, "Health", msg())
			check(err == nil && out.num(1) == stateLoaded && out.num(3) == 1, "Health: %v", err)
		}()
	}
	group.Wait()
	check(len(call(c, "Metrics", msg().raw(1, []byte("rpc."))).list(1)) > 5, "no metrics")
	check(expires(c), "the worker does not let go of a poll whose deadline is over")
}

// The worker's deadline is a little behind the client's: until it is over, the connection's one
// waiting poll is still there.
func expires(c *ttrpc.Client) bool {
	for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
		for _, metric := range call(c, "Metrics", msg().raw(1, []byte("rpc.expired"))).list(1) {
			if metric.num(3) > 0 {
				return true
			}
		}
	}
	return false
}

func wakes(c *ttrpc.Client) {
	seq := call(c, "PollEvents", msg()).num(2)
	seen := make(chan fields)
	go func() {
		out, err := try(c, 20*time.Second, service, "PollEvents", msg().num(1, seq).num(3, 15000))
		check(err == nil, "PollEvents: %v", err)
		seen <- out
	}()
	time.Sleep(100 * time.Millisecond)
	out := call(c, "Reset", msg())
	check(out.num(1) == stateEmpty, "state %d after Reset", out.num(1))
	found := false
	for _, event := range (<-seen).list(1) {
		found = found || event.num(4) == stateEmpty
	}
	check(found, "the poll is not told of the new state")
}

// ---------------------------------------------------------------- the worker

func dial(path string) net.Conn {
	for i := 0; i < 500; i++ {
		if conn, err := net.Dial("unix", path); err == nil {
			return conn
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Println("usage: interop PVW TREE.dtb")
		os.Exit(2)
	}
	folder, err := os.MkdirTemp("", "pvw-interop-")
	must(err == nil, "%v", err)
	defer os.RemoveAll(folder)
	tree, err := os.ReadFile(os.Args[2])
	must(err == nil, "%v", err)
	memory, err := os.OpenFile(filepath.Join(folder, "memory"), os.O_RDWR|os.O_CREATE, 0600)
	must(err == nil && memory.Truncate(0x240000000) == nil, "%v", err)

	socket := filepath.Join(folder, "run", "worker.sock")
	worker := exec.Command(os.Args[1], "serve", "--listen", "unix:"+socket,
		"--guest-memory", memory.Name(), "--sandbox", "best-effort")
	worker.Stderr = os.Stderr
	must(worker.Start() == nil, "the worker does not start")
	go func() { // nothing may hang
		time.Sleep(60 * time.Second)
		worker.Process.Kill()
	}()
	conn := dial(socket)
	must(conn != nil, "nobody listens on %s", socket)
	client := ttrpc.NewClient(conn)

	hello(client)
	plan := prepare(client, tree)
	load(client, plan, memory)
	artifacts(client)
	unimplemented(client)
	together(client)
	wakes(client)
	call(client, "Shutdown", msg().num(1, 1000).raw(2, []byte("done")))
	check(worker.Wait() == nil, "the worker did not end well")
	os.RemoveAll(folder)
	finish()
}
