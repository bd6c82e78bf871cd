# The helpers of every CMakeLists.txt in this tree: one flags target, one module, one program.
# Sources are listed, never globbed: a file that nobody listed is a file that nobody builds.

include(CheckCCompilerFlag)

# All of our own targets link this, nothing of it is exported.
add_library(punkt_flags INTERFACE)
target_compile_definitions(punkt_flags INTERFACE _GNU_SOURCE)
# One list for the build and for lint.headers, which compiles each header alone.
set(PUNKT_WARNINGS
    -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum -Wvla -Wundef
    -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough)
target_compile_options(punkt_flags INTERFACE ${PUNKT_WARNINGS})

# What was never written reads as a pattern where tests run, so that a forgotten initialiser fails alike
# everywhere; not in release, where it costs a tenth of a purchase. clang 14 takes "pattern" as it is, and
# "zero" only with a switch that names it a mistake.
check_c_compiler_flag(-ftrivial-auto-var-init=pattern PUNKT_HAS_AUTO_VAR_INIT)
if(PUNKT_HAS_AUTO_VAR_INIT)
    target_compile_options(punkt_flags INTERFACE $<$<CONFIG:Debug>:-ftrivial-auto-var-init=pattern>)
endif()

if(PUNKT_SANITIZE)
    set(sanitize -fsanitize=${PUNKT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(punkt_flags INTERFACE ${sanitize})
    target_link_options(punkt_flags INTERFACE ${sanitize})
else()
    # The hardening calls for an optimiser, and the sanitizers replace the functions that it wraps.
    target_compile_options(
        punkt_flags INTERFACE
        $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2;-fstack-protector-strong>)
    target_link_options(punkt_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
if(PUNKT_FUZZ)
    target_compile_options(punkt_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# punkt_module(<target> SOURCES <file>... [INCLUDE <folder>...] [DEPENDS <target>...] [PRIVATE <target>...])
# A static library of one folder. INCLUDE is where its users' includes start; DEPENDS is what its headers
# include, PRIVATE what only its sources do.
function(punkt_module target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "INCLUDE;SOURCES;DEPENDS;PRIVATE")
    add_library(${target} STATIC ${arg_SOURCES})
    target_include_directories(${target} PUBLIC ${arg_INCLUDE})
    target_link_libraries(${target} PUBLIC ${arg_DEPENDS} PRIVATE punkt_flags ${arg_PRIVATE})
    # Hidden everywhere, because the objects of proto are also inside libpunkt.so.
    set_target_properties(${target} PROPERTIES C_VISIBILITY_PRESET hidden)
endfunction()

# punkt_program(<target> SOURCES <file>... [LINKS <target>...]): an executable that is installed.
function(punkt_program target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
    add_executable(${target} ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE punkt_flags ${arg_LINKS})
    install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()
