// Package timeline writes I/Os as a trace for the Perfetto viewer (ui.perfetto.dev
// opens it offline too): a track for each slot of each queue, in which an I/O is a
// slice with its stages within, and counters of what waits, what the device has and
// what was cancelled.
//
// The file is a protobuf of perfetto.protos.Trace; its field numbers are those of
// Perfetto's public protos (trace_packet.proto, track_event.proto,
// track_descriptor.proto, counter_descriptor.proto, debug_annotation.proto). A slot
// here is a place among the I/Os of a queue at the same time, given in the order of
// their submits; it is not the device's command identifier.
package timeline
