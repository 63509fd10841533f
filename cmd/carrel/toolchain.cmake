# A CMake toolchain file for carrel cc, written by `carrel cmake`.
#
#   carrel cmake > carrel.cmake
#   cmake -B build -DCMAKE_TOOLCHAIN_FILE="$PWD/carrel.cmake"
cmake_minimum_required(VERSION 3.19)

set(CARREL @CARREL@)

# CMake wants each tool by one path. They are small scripts in the build tree,
# which its checks of the compiler share.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CARREL_TOOLS)
if(NOT CARREL_TOOLS)
  set(CARREL_TOOLS "${CMAKE_BINARY_DIR}/CMakeFiles/carrel")
  string(REPLACE "'" "'\\''" carrel "${CARREL}")
  foreach(tool cc c++ ld ar ranlib nm strip objcopy objdump)
    file(WRITE "${CARREL_TOOLS}/${tool}" "#!/bin/sh\nexec '${carrel}' ${tool} \"$@\"\n")
  endforeach()
  # Tests and try_run see the sources, and the build tree, which they may write to;
  # CMake starts some of them elsewhere.
  get_filename_component(source "${CMAKE_SOURCE_DIR}" REALPATH)
  get_filename_component(build "${CMAKE_BINARY_DIR}" REALPATH)
  string(REPLACE "'" "'\\''" source "${source}")
  string(REPLACE "'" "'\\''" build "${build}")
  set(dirs "--dir '${build}':'${build}':rw")
  if(NOT source STREQUAL build)
    set(dirs "--dir '${source}':'${source}' ${dirs}")
  endif()
  file(WRITE "${CARREL_TOOLS}/run" "#!/bin/sh
here=$(pwd -P)
case $here/ in
'${source}'/* | '${build}'/*) ;;
*) here='${build}' ;;
esac
exec '${carrel}' run ${dirs} --cwd \"$here\" \"$@\"
")
  file(GLOB tools "${CARREL_TOOLS}/*")
  file(CHMOD ${tools} FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  file(WRITE "${CARREL_TOOLS}/Platform/WASI.cmake" [=[
set(WASI 1)
set(UNIX 1)
set(CMAKE_EXECUTABLE_SUFFIX .wasm)
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS FALSE)
]=])
endif()

set(CMAKE_SYSTEM_NAME WASI)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
list(APPEND CMAKE_MODULE_PATH "${CARREL_TOOLS}") # for Platform/WASI

set(CMAKE_C_COMPILER "${CARREL_TOOLS}/cc")
set(CMAKE_CXX_COMPILER "${CARREL_TOOLS}/c++")
set(CMAKE_ASM_COMPILER "${CARREL_TOOLS}/cc")
set(CMAKE_LINKER "${CARREL_TOOLS}/ld")
foreach(tool ar ranlib nm strip objcopy objdump)
  string(TOUPPER "${tool}" name)
  set(CMAKE_${name} "${CARREL_TOOLS}/${tool}")
endforeach()
set(CMAKE_CROSSCOMPILING_EMULATOR "${CARREL_TOOLS}/run")

# Libraries, headers and packages of the host are not for these programs. Those
# that are can be named: -DCMAKE_FIND_ROOT_PATH=DIR.
if(NOT CMAKE_FIND_ROOT_PATH)
  set(CMAKE_FIND_ROOT_PATH "${CARREL_TOOLS}/root")
endif()
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
