package drivertest

import (
	"blksim/aio"
	"blksim/internal/blockmodel"
)

// fillAll fills a buffer of whole blocks with one of the special stamps.
func fillAll(buf []byte, block int, s blockmodel.Stamp) {
	for i := 0; i < len(buf); i += block {
		blockmodel.Fill(buf[i:i+block], s, 0)
	}
}

// begin fills the buffers of a request and tells the model of it.
func (p *port) begin(s *slot) {
	r := s.req
	block := int64(p.b.lim.BlockSize)
	no := r.Off / block
	first, n := int(no-p.base), int(r.Len/block)
	known := p.model != nil && r.Off%block == 0 && first >= 0 && first+n <= p.model.Blocks()
	switch r.Op {
	case aio.OpRead:
		for _, buf := range s.bufs {
			fillAll(buf, int(block), blockmodel.Fresh)
		}
		if known {
			s.read = p.model.BeginRead(first, n)
		}
	case aio.OpWrite:
		p.stamp++
		s.stamp = p.stamp
		p.eachBlock(s, func(b []byte, no int64) { blockmodel.Fill(b, s.stamp, no) })
		if known {
			s.write = p.model.BeginWrite(first, n, s.stamp)
		}
	case aio.OpDiscard, aio.OpWriteZeroes:
		if known {
			s.write = p.model.BeginWrite(first, n, blockmodel.Zero)
		}
	case aio.OpFlush:
		if p.model != nil {
			s.flush = p.model.BeginFlush()
		}
	}
}

// eachBlock visits the blocks of a request's buffers with their numbers.
func (p *port) eachBlock(s *slot, f func(b []byte, no int64)) {
	block := p.b.lim.BlockSize
	no := s.req.Off / int64(block)
	for _, buf := range s.bufs {
		for ; len(buf) >= block; buf = buf[block:] {
			f(buf[:block], no)
			no++
		}
	}
}

// changed is the index of the first buffer that is not as begin left it, -1 if
// none is.
func (p *port) changed(s *slot) int {
	at := int64(0)
	block := int64(p.b.lim.BlockSize)
	for i, buf := range s.bufs {
		want := make([]byte, len(buf))
		if s.was0.Op == aio.OpRead {
			fillAll(want, int(block), blockmodel.Fresh)
		} else {
			for j := int64(0); j+block <= int64(len(want)); j += block {
				blockmodel.Fill(want[j:j+block], s.stamp, (s.was0.Off+at+j)/block)
			}
		}
		if differs(buf, want) >= 0 {
			return i
		}
		at += int64(len(buf))
	}
	return -1
}

// end checks what a read brought, tells the model, and makes the buffers useless
// to who should have left them alone.
func (p *port) end(s *slot, st aio.Status, bytes int64) {
	// What is less than the whole is done up to there, whatever the status.
	n := int(max(0, min(bytes, s.was0.Len)) / int64(p.b.lim.BlockSize))
	if s.read != nil {
		p.check(s, n)
		p.model.EndRead(s.read)
	}
	if s.write != nil {
		if s.was0.Op == aio.OpDiscard {
			n = 0 // what a discarded block has is the device's choice
		}
		p.model.EndWrite(s.write, n)
		if s.was0.FUA {
			p.model.Durable(s.write, n)
		}
	}
	if s.flush != nil && st == aio.OK {
		p.model.EndFlush(s.flush)
	}
	for _, buf := range s.bufs {
		fillAll(buf, p.b.lim.BlockSize, blockmodel.Mangled)
		if p.bury {
			p.graves = append(p.graves, grave{s.what(), s.asked, buf})
		}
	}
}

// check compares the first n blocks that a read found with what the model allows.
func (p *port) check(s *slot, n int) {
	i := 0
	p.eachBlock(s, func(b []byte, no int64) {
		if i >= n {
			return
		}
		got, err := blockmodel.Parse(b, no)
		if bad := p.model.Found(s.read, i, got, err); bad != nil {
			rule := p.rule
			switch {
			case err == nil && got == blockmodel.Mangled:
				rule = "buffer-after"
			case err != nil && p.torn != "":
				rule = p.torn
			}
			p.b.broke(rule, p, s, "queue %d: %v: %v", p.id, s.what(), bad)
		}
		i++
	})
}
