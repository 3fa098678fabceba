// What a send through the package costs, and what is left of many that were pending, with the messages of
// benches/c/work.h. It prints a line of JSON.
//
//	bench submit|send|pending URL IN_FLIGHT MESSAGES [WARM_UP]
//
// submit has so many in flight, send one; pending begins MESSAGES sends that wait for their time, cancels them, and
// does that six times.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"hongyan"
)

const accounts = 4

// prose begins the Thousand Character Classic.
const prose = "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。闰余成岁，律吕调阳。云腾致雨，露结为霜。" +
	"金生丽水，玉出昆冈。剑号巨阙，珠称夜光。果珍李柰，菜重芥姜。海咸河淡，鳞潜羽翔。"

func message(number int) hongyan.Message {
	user := "5000020301"
	if number%50 != 49 {
		user = strconv.Itoa(2125034703 + number%100)
	}
	length := [...]int{8, 24, 70}[number%3] * len("天")
	return hongyan.Message{
		Account: "a" + strconv.Itoa(number%accounts),
		To:      hongyan.To{User: user},
		Text:    strconv.Itoa(number) + " " + prose[:length],
	}
}

func main() {
	if len(os.Args) < 5 {
		fail(errors.New("usage: bench submit|send|pending URL IN_FLIGHT MESSAGES [WARM_UP]"))
	}
	inFlight, count, warmUp := number(3), number(4), 600
	if len(os.Args) > 5 {
		warmUp = number(5)
	}
	config := hongyan.Config{Accounts: map[string]hongyan.Account{}, MaxInFlight: max(1024, 2*count)}
	for i := range accounts {
		config.Accounts["a"+strconv.Itoa(i)] = hongyan.WeiboAccount{
			Auth:    hongyan.Oauth2Auth{Token: "2.00BENCHmarkTokenOfAccount" + strconv.Itoa(i)},
			Common:  hongyan.Common{Rate: hongyan.NoLimit, MaxInFlight: max(1024, count)},
			BaseURL: os.Args[2],
		}
	}
	client, err := hongyan.Open(config)
	fail(err)
	switch os.Args[1] {
	case "pending":
		pending(client, count)
		return
	case "send":
		inFlight = 1
	}
	send(client, inFlight, 0, warmUp)
	runtime.GC()
	began, used, bytes := time.Now(), cpu(), allocated()
	refused := send(client, inFlight, warmUp, count)
	used, bytes = cpu()-used, allocated()-bytes
	if refused != (warmUp+count)/50-warmUp/50 {
		fail(fmt.Errorf("%d were refused", refused))
	}
	each := float64(count)
	wall := time.Since(began)
	fmt.Printf(`{"messages": %d, "cpu_us": %.3f, "wall_us": %.3f, "managed_bytes": %.1f}`+"\n", count,
		float64(used.Nanoseconds())/1e3/each, float64(wall.Nanoseconds())/1e3/each, float64(bytes)/each)
}

// send sends messages from first on, and tells how many were refused, as they should be.
func send(client *hongyan.Client, inFlight, first, count int) int {
	var workers sync.WaitGroup
	var next, refused atomic.Int64
	for range inFlight {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for {
				i := int(next.Add(1)) - 1
				if i >= count {
					return
				}
				result, err := client.Send(context.Background(), message(first+i))
				switch {
				case errors.Is(err, hongyan.ErrForbidden):
					refused.Add(1)
				case err != nil || result.MessageID == "":
					fail(fmt.Errorf("%v: %s", err, result.JSON()))
				}
			}
		}()
	}
	workers.Wait()
	return int(refused.Load())
}

func pending(client *hongyan.Client, count int) {
	later := time.Now().Add(24 * time.Hour)
	var rounds []map[string]uint64
	for range 6 {
		ctx, cancel := context.WithCancel(context.Background())
		var sends sync.WaitGroup
		for i := range count {
			sends.Add(1)
			go func() {
				defer sends.Done()
				message := message(i)
				message.NotBefore = later
				if _, err := client.Send(ctx, message); !errors.Is(err, hongyan.ErrCancelled) {
					fail(fmt.Errorf("not cancelled but %v", err))
				}
			}()
		}
		for unfinished := 0; unfinished < count; runtime.Gosched() {
			var counters struct{ Unfinished int }
			stats, err := client.Stats()
			fail(err)
			fail(json.Unmarshal(stats, &counters))
			unfinished = counters.Unfinished
		}
		cancel()
		sends.Wait()
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		rounds = append(rounds, map[string]uint64{"heap": memory.HeapAlloc, "rss": resident()})
	}
	text, err := json.Marshal(rounds)
	fail(err)
	fmt.Printf(`{"pending": %d, "rounds": %s}`+"\n", count, text)
}

// cpu is user and system time of the process so far.
func cpu() time.Duration {
	var usage syscall.Rusage
	fail(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// allocated is what was allocated in Go's heap so far, in bytes.
func allocated() uint64 {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return memory.TotalAlloc
}

func resident() uint64 {
	status, err := os.ReadFile("/proc/self/status")
	fail(err)
	_, line, _ := strings.Cut(string(status), "VmRSS:")
	kb, err := strconv.ParseUint(strings.Fields(line)[0], 10, 64)
	fail(err)
	return kb * 1024
}

func number(i int) int {
	n, err := strconv.Atoi(os.Args[i])
	fail(err)
	return n
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
