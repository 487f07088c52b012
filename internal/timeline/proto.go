package timeline

// message is a protobuf message that is being written.
type message []byte

const (
	wireVarint = 0
	wireBytes  = 2
)

func (m *message) varint(v uint64) {
	for v >= 0x80 {
		*m = append(*m, byte(v)|0x80)
		v >>= 7
	}
	*m = append(*m, byte(v))
}

func (m *message) uint(field int, v uint64) {
	m.varint(uint64(field)<<3 | wireVarint)
	m.varint(v)
}

func (m *message) string(field int, s string) {
	m.varint(uint64(field)<<3 | wireBytes)
	m.varint(uint64(len(s)))
	*m = append(*m, s...)
}

func (m *message) message(field int, sub message) { m.string(field, string(sub)) }

// The fields that are written, by message.
const (
	tracePacket = 1 // Trace

	packetTimestamp  = 8 // TracePacket
	packetSequence   = 10
	packetTrackEvent = 11
	packetDescriptor = 60

	trackUUID    = 1 // TrackDescriptor
	trackName    = 2
	trackProcess = 3
	trackParent  = 5
	trackCounter = 8

	processID   = 1 // ProcessDescriptor
	processName = 6

	counterUnit  = 3 // CounterDescriptor
	counterCount = 2 // of its unit

	eventAnnotation = 4 // TrackEvent
	eventType       = 9
	eventTrack      = 11
	eventCategory   = 22
	eventName       = 23
	eventCounter    = 30

	sliceBegin = 1 // of the event's type
	sliceEnd   = 2
	instant    = 3
	counter    = 4

	annotationUint   = 3 // DebugAnnotation
	annotationString = 6
	annotationName   = 10
)
