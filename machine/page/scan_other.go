//go:build !linux

package page

func available(Method) bool { return false }

func written([]byte, Method, func([]byte)) bool { return false }

func arm(reserved, memory []byte) bool { return false }

func scan([]byte, func(first, end int)) bool { return false }
