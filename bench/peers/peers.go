// Goroutines doing what the programs of bench/ have green threads do, on one processor.
//
//	peers REPETITIONS NAME...
//
// Prints a line "NAME NANOSECONDS" for each benchmark and repetition: CPU time of the process for one item.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

func cpuNanos() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// The CPU time of one of the `items` that f handles.
func perItem(items int, f func(items int)) float64 {
	runtime.GC()
	before := cpuNanos()
	f(items)
	return float64(cpuNanos()-before) / float64(items)
}

func yields(threads int) func(int) {
	return func(items int) {
		var group sync.WaitGroup
		for i := 0; i < threads; i++ {
			group.Add(1)
			go func() {
				for n := 0; n < items/threads; n++ {
					runtime.Gosched()
				}
				group.Done()
			}()
		}
		group.Wait()
	}
}

func spawnJoin(items int) {
	result := make(chan int)
	for i := 0; i < items; i++ {
		go func() { result <- 1 }()
		<-result
	}
}

func roundTrips(there, back chan int) func(int) {
	return func(items int) {
		go func() {
			for value := range there {
				back <- value
			}
			close(back)
		}()
		for i := 0; i < items; i++ {
			there <- i
			<-back
		}
		close(there)
		<-back
	}
}

func timers(items int) {
	const pending = 1000000
	random := rand.New(rand.NewSource(1))
	all := make([]*time.Timer, pending)
	for i := range all {
		all[i] = time.NewTimer(time.Hour + time.Duration(random.Int63n(int64(time.Hour))))
	}
	before := cpuNanos()
	for i := 0; i < items; i++ {
		time.NewTimer(time.Hour + time.Duration(random.Int63n(int64(time.Hour)))).Stop()
	}
	timerNanos = float64(cpuNanos()-before) / float64(items)
	for _, timer := range all {
		timer.Stop()
	}
}

var timerNanos float64

func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		panic(err)
	}
	return pages * int64(os.Getpagesize())
}

// Memory of one goroutine that waits, not nanoseconds.
func idleBytes() float64 {
	const count = 100000
	runtime.GC()
	before := residentBytes()
	stop := make(chan bool)
	var started sync.WaitGroup
	for i := 0; i < count; i++ {
		started.Add(1)
		go func() {
			started.Done()
			<-stop
		}()
	}
	started.Wait()
	used := residentBytes() - before
	close(stop)
	return float64(used) / count
}

func run(name string) float64 {
	switch name {
	case "Yield/2":
		return perItem(2000000, yields(2))
	case "Yield/100":
		return perItem(2000000, yields(100))
	case "Yield/10000":
		return perItem(2000000, yields(10000))
	case "SpawnJoin":
		return perItem(300000, spawnJoin)
	case "Channel":
		return perItem(300000, roundTrips(make(chan int), make(chan int)))
	case "Semaphore":
		return perItem(300000, roundTrips(make(chan int, 1), make(chan int, 1)))
	case "Timer":
		timers(300000)
		return timerNanos
	case "IdleBytes":
		return idleBytes()
	}
	fmt.Fprintln(os.Stderr, "no such benchmark: "+name)
	os.Exit(2)
	return 0
}

func main() {
	runtime.GOMAXPROCS(1)
	repetitions, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	for i := 0; i < repetitions; i++ {
		for _, name := range os.Args[2:] {
			fmt.Println(name, run(name))
		}
	}
}
