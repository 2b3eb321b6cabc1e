// Watches operations until their ends: `PROGRESS_TOKEN=… go run watch.go http://127.0.0.1:8400/api ID…`. Written from the
// page "The protocol wcc.v1" alone, with Go's standard library (≥ 1.18). Prints each snapshot that it accepts as JSON.
// Exit code: 0 all succeeded, 1 one failed or was cancelled, 2 the server refuses, 3 one is not there for this user.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"math/rand"
	"net/http"
	"os"
	"strings"
	"time"
)

const attempt, dead, resetAfter = 4 * time.Second, 12 * time.Second, 30 * time.Second
const again, succeeded = 0, -1 // instead of an exit code; `again` means to read on, or to connect again
var codeOfState = map[string]int{"succeeded": succeeded, "failed": 1, "cancelled": 1}
var codeOfStatus = map[int]int{400: 2, 401: 3, 403: 3, 404: 3}
var waitsFor404 = []float64{0.5, 1, 2, 5, 5, 5, 5, 5} // the operation may begin later, or its server has just restarted
type message struct {
	Epoch, State, Why string
	Seq, Ms           int64
}

type watcher struct {
	url                    string
	newest                 message
	waitS                  float64 // as the server named it, else 0
	failures, misses       int
	openedAt, failingSince time.Time
}

func (w *watcher) follow() int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	silence := time.AfterFunc(attempt, cancel)
	request, err := http.NewRequestWithContext(ctx, "GET", w.url, nil)
	if err != nil {
		log.Fatal(err)
	}
	newest := fmt.Sprintf("%s:%d", w.newest.Epoch, w.newest.Seq)
	request.Header = http.Header{"Authorization": {"Bearer " + os.Getenv("PROGRESS_TOKEN")}, "Last-Event-Id": {newest}}
	w.openedAt = time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Println("no connection; the work on the server continues:", err)
		return again
	}
	defer response.Body.Close()
	if response.StatusCode != 200 {
		log.Println(w.url, response.Status)
		fmt.Sscan(response.Header.Get("Retry-After"), &w.waitS)
		if waits := waitsFor404[w.misses:]; response.StatusCode == 404 && len(waits) > 0 {
			w.waitS, w.misses = waits[0], w.misses+1
			return again
		}
		return codeOfStatus[response.StatusCode]
	}
	event := map[string]string{}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); silence.Reset(dead) {
		if name, value, isField := strings.Cut(lines.Text(), ": "); isField {
			event[name] = value
		} else if code := w.take(event["event"], event["data"]); code != again {
			return code
		}
	}
	return again
}

// A heartbeat repeats the event before it, which then is not newer.
func (w *watcher) take(event, data string) int {
	var next message
	err := json.Unmarshal([]byte(data), &next)
	if event == "gone" {
		log.Println(w.url, "gone:", next.Why)
		return 3
	} else if event == "bye" {
		w.waitS = float64(next.Ms) / 1000
	} else if event == "op" && err == nil && (next.Epoch != w.newest.Epoch || next.Seq > w.newest.Seq) {
		w.newest, w.misses = next, 0
		fmt.Println(data)
	}
	return codeOfState[w.newest.State]
}

// Waits as the server asked, or for a random time, so that clients do not return all at once.
func (w *watcher) pause() {
	if w.failures == 0 || time.Since(w.openedAt) >= resetAfter {
		w.failures, w.failingSince = 0, time.Now()
	}
	limit := map[bool]float64{true: 3, false: 30}[time.Since(w.failingSince) < time.Minute]
	if w.waitS == 0 {
		w.waitS = rand.Float64() * math.Min(limit, 0.5*math.Pow(2, float64(w.failures)))
	}
	time.Sleep(time.Duration(w.waitS * float64(time.Second)))
	w.failures, w.waitS = w.failures+1, 0
}

func main() {
	rand.Seed(time.Now().UnixNano())
	codes, worst := make(chan int), 0
	for _, id := range os.Args[2:] {
		go func(w watcher) {
			code := w.follow()
			for ; code == again; code = w.follow() {
				w.pause()
			}
			codes <- code
		}(watcher{url: os.Args[1] + "/operations/" + id + "/events"})
	}
	for range os.Args[2:] {
		worst = int(math.Max(float64(worst), float64(<-codes)))
	}
	os.Exit(worst)
}
