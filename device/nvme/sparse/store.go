package sparse

// ChunkSize is the unit of allocation of a [Store], bytes.
const ChunkSize = 64 << 10

type chunk [ChunkSize]byte

// Store is an array of bytes that reads as zeroes where it was never written.
type Store struct {
	size   int64
	table  Table[chunk]
	chunks int64
	free   *chunk // one chunk kept back, so that write and zero in turn do not allocate
}

// NewStore makes a store of size bytes.
func NewStore(size int64) *Store {
	return &Store{size: size, table: NewTable[chunk]((size + ChunkSize - 1) / ChunkSize)}
}

// Size is the number of bytes that the store covers.
func (s *Store) Size() int64 { return s.size }

// Allocated is the number of bytes that it holds in memory.
func (s *Store) Allocated() int64 { return s.chunks * ChunkSize }

// ReadAt fills b from offset off; off+len(b) must be within the store.
func (s *Store) ReadAt(b []byte, off int64) {
	for len(b) > 0 {
		i, at := off/ChunkSize, off%ChunkSize
		n := min(len(b), int(ChunkSize-at))
		if c := s.table.Get(i); c != nil {
			copy(b[:n], c[at:])
		} else {
			clear(b[:n])
		}
		b, off = b[n:], off+int64(n)
	}
}

// WriteAt stores b at offset off; off+len(b) must be within the store.
func (s *Store) WriteAt(b []byte, off int64) {
	for len(b) > 0 {
		i, at := off/ChunkSize, off%ChunkSize
		c := s.table.Get(i)
		if c == nil {
			c = s.newChunk()
			s.table.Set(i, c)
		}
		n := copy(c[at:], b)
		b, off = b[n:], off+int64(n)
	}
}

// Zero makes n bytes from off read as zeroes and frees the chunks that lie
// wholly within them.
func (s *Store) Zero(off, n int64) {
	for n > 0 {
		i, at := off/ChunkSize, off%ChunkSize
		if at == 0 && n >= ChunkSize {
			// Large extents are common (a whole device is trimmed before use):
			// walk them by directory page where there is nothing.
			whole := n / ChunkSize
			s.freeChunks(i, whole)
			off, n = off+whole*ChunkSize, n-whole*ChunkSize
			continue
		}
		k := min(n, ChunkSize-at)
		if c := s.table.Get(i); c != nil {
			clear(c[at : at+k])
		}
		off, n = off+k, n-k
	}
}

func (s *Store) freeChunks(i, n int64) {
	for end := i + n; i < end; {
		page := i >> dirBits
		next := min((page+1)<<dirBits, end)
		if s.table.pages[page] == nil {
			i = next
			continue
		}
		for ; i < next; i++ {
			if c := s.table.Get(i); c != nil {
				s.table.Set(i, nil)
				s.chunks--
				s.free = c
			}
		}
	}
}

func (s *Store) newChunk() *chunk {
	s.chunks++
	if c := s.free; c != nil {
		s.free = nil
		clear(c[:])
		return c
	}
	return new(chunk)
}
