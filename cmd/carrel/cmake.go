package main

import (
	_ "embed"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// toolchainFile is a CMake toolchain file but for the path of carrel, @CARREL@.
//
//go:embed toolchain.cmake
var toolchainFile string

func cmakeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cmake",
		Short: "Print a CMake toolchain file, to build by carrel cc",
		Long: `CMake prints a toolchain file that makes CMake build by this carrel: by cc, c++, ar
and the rest, and run tests by carrel run.` + exits("0  always"),
		Example: `  carrel cmake > carrel.cmake
  cmake -B build -DCMAKE_TOOLCHAIN_FILE="$PWD/carrel.cmake"
  cmake --build build && ctest --test-dir build`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			self, err := os.Executable()
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), strings.Replace(toolchainFile, "@CARREL@", cmakeString(self), 1))
			return err
		},
	}
}

// cmakeString is a text as an argument of CMake that is taken as it is.
func cmakeString(s string) string {
	level := ""
	for strings.Contains(s+"]", "]"+level+"]") {
		level += "="
	}
	return "[" + level + "[" + s + "]" + level + "]"
}
