//go:build !linux

package main

import "blksim/bench/figures"

const noUring = figures.Skip("io_uring is of Linux only")

func nops(int) (piece, func(), error)        { return nil, nil, noUring }
func pollCancels(int) (piece, func(), error) { return nil, nil, noUring }
func polledNops() (crew, func(), error)      { return nil, nil, noUring }
