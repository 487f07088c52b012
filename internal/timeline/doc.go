// Package timeline writes I/Os as a trace for the Perfetto viewer (ui.perfetto.dev
// opens it offline too): a track for each slot of each queue, in which an I/O is a
// slice with its stages within, and counters of what waits, what the device has and
// what was cancelled.
//
// Where the device is a simulated controller there are two counters more for each
// queue pair, and for that of admin commands if it was used in the window (Aborts,
// and the deletion of the queues after the run). Their names have what the queue
// holds at the most, which is its entries but one, and the disk where there are
// several:
//
//   - SQ entries not fetched: commands for which the tail doorbell was rung, and
//     which the controller has not fetched. It knows a doorbell when its lane has
//     got to it: at once in virtual time.
//   - CQ entries not consumed: completions that the controller has posted, and which
//     the driver has not taken. The driver rings the head doorbell later, with its
//     next submit; a controller that waits for room waits for that.
//
// They are exact: the controller and the driver tell of every change ([Queues]). At
// one instant, which in virtual time is long enough to fill a queue and empty it,
// there are two values: first the most that there was, then what was left. They
// begin with the window, at their value of then.
//
// The file is a protobuf of perfetto.protos.Trace; its field numbers are those of
// Perfetto's public protos (trace_packet.proto, track_event.proto,
// track_descriptor.proto, counter_descriptor.proto, debug_annotation.proto). A slot
// here is a place among the I/Os of a queue at the same time, given in the order of
// their submits; it is not the device's command identifier.
package timeline
