// Package profile turns a TOML file into a simulated device: the controller's
// configuration and its medium. It is the only place that reads TOML.
//
// A profile is parsed strictly. Every key is in one table (options.go) with its
// type, its limits and what it means; a key that is not there, a value of
// another type or out of its limits, and a key that is missing are errors that
// name file, line, key, value and what was expected. Quantities are strings with
// units: "50us", "1.6GB/s", "3.84TB", "16KiB", "5%".
//
// The presets are files of this package, built into the program. Each says in
// its comments where every number comes from, or that it was assumed.
//
// Nothing here runs on a lane; loading happens before a simulation begins, and a
// Profile is not changed by opening devices from it.
package profile
