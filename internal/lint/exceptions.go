package lint

// exception lets one file break one rule.
type exception struct {
	file, rule, reason string
}

// exceptions are all there are. Prefer to change the code.
var exceptions = []exception{
	{"aio/lane/real.go", "clock", "the real lanes are where the machine's time comes in"},
	{"aio/lane/real.go", "goroutine", "the real lanes are goroutines"},
	{"aio/lane/reallane.go", "goroutine", "a lane whose goroutine ends has its group closed by another one"},
	{"aio/lane/alarm.go", "clock", "an alarm of the runtime wakes a parked lane for its next timer"},
	{"aio/lane/alarm_linux.go", "goroutine", "a goroutine waits in the poller for the kernel's timer"},
	{"driver/drivertest/broken/worlds.go", "clock", "a driver that is broken on purpose, which the kit must reject"},
	{"driver/drivertest/broken/worlds.go", "goroutine", "a driver that is broken on purpose, which the kit must reject"},
	{"driver/drivertest/broken/worlds.go", "map-order", "a driver that is broken on purpose, which the kit must reject"},
}
