// Package spec is the wire format between an NVMe controller and its host:
// registers, queue entries, status codes and identify data, as bytes. Both
// device/nvme and driver/nvme are written against it, and neither has a layout
// of its own.
//
// Sources, cited as "Base" and "NVM" and "PCIe":
//
//   - NVM Express Base Specification, revision 2.0
//   - NVM Express NVM Command Set Specification, revision 1.0
//   - NVM Express NVMe over PCIe Transport Specification, revision 1.0
//
// Everything is little-endian on every machine. [SQE] and [CQE] are arrays, so
// that an entry is read and written in place in queue memory without a copy
// ([SQEAt], [CQEAt]).
//
// # Handing a completion over
//
// A completion queue entry changes hands by its phase bit, in its last dword.
// The controller stores the first three dwords plainly and then the last one
// with [CQE.Publish] (a release); the host polls with [CQE.Poll] (an acquire)
// and reads the rest only after it has seen the phase that it waits for. That is
// the whole synchronisation: the two may be on different lanes. A submission
// entry needs none of its own, since the doorbell write orders it.
//
// The package holds no state and cannot fail; accessors never look outside
// their entry.
package spec
