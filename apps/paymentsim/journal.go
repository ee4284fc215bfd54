package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// maxBatch bounds how many lines wait for the same fsync.
const maxBatch = 1024

var errJournalClosed = errors.New("the ledger file is closed")

// journal is an append-only file of JSON lines. An append returns when its line is on the disk. Lines that
// arrive while the disk is busy share the next fsync, so one disk carries thousands of appends a second.
type journal struct {
	file  *os.File
	queue chan pending
	quit  chan struct{}
	ended sync.WaitGroup
}

type pending struct {
	line []byte
	done chan<- error
}

// openJournal replays the file line by line and opens it for appending. A last line that was torn by a crash
// was never answered for; it is cut off.
func openJournal(path string, replay func(line []byte) error) (*journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	good, err := replayLines(file, replay)
	if err == nil {
		err = file.Truncate(good)
	}
	if err == nil {
		_, err = file.Seek(good, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	j := &journal{file: file, queue: make(chan pending, maxBatch), quit: make(chan struct{})}
	j.ended.Go(j.write)
	return j, nil
}

// replayLines gives the length of the file up to the end of its last whole line.
func replayLines(file io.Reader, replay func(line []byte) error) (int64, error) {
	reader, good := bufio.NewReader(file), int64(0)
	for {
		line, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return good, nil // what is left has no end: torn
		}
		if err != nil {
			return 0, err
		}
		if err := replay(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			if _, err := reader.Peek(1); errors.Is(err, io.EOF) {
				return good, nil // the end was written before the middle: torn as well
			}
			return 0, fmt.Errorf("at byte %d: %w", good, err)
		}
		good += int64(len(line))
	}
}

// append writes one line and returns when it is durable.
func (j *journal) append(line []byte) error {
	done := make(chan error, 1)
	select {
	case j.queue <- pending{line, done}:
	case <-j.quit:
		return errJournalClosed
	}
	select {
	case err := <-done:
		return err
	case <-j.quit:
		j.ended.Wait() // the last batch may hold it
		select {
		case err := <-done:
			return err
		default:
			return errJournalClosed
		}
	}
}

func (j *journal) write() {
	var broken error // after a failed write nobody knows what the disk holds
	for {
		select {
		case first := <-j.queue:
			batch := j.collect(first)
			if broken == nil {
				broken = j.flush(batch)
			}
			for _, p := range batch {
				p.done <- broken
			}
		case <-j.quit:
			return
		}
	}
}

// collect takes what has queued up behind the first line.
func (j *journal) collect(first pending) []pending {
	batch := []pending{first}
	for len(batch) < maxBatch {
		select {
		case next := <-j.queue:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

func (j *journal) flush(batch []pending) error {
	var lines bytes.Buffer
	for _, p := range batch {
		lines.Write(p.line)
		lines.WriteByte('\n')
	}
	if _, err := j.file.Write(lines.Bytes()); err != nil {
		return err
	}
	return j.file.Sync()
}

// close ends the journal; whoever appends afterwards hears errJournalClosed.
func (j *journal) close() error {
	close(j.quit)
	j.ended.Wait()
	return j.file.Close()
}
