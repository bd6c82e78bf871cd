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

# What was never written reads as a pattern in every build, so that a forgotten initialiser fails alike
# everywhere. clang 14 takes "pattern" as it is, and "zero" only with a switch that names it a mistake.
check_c_compiler_flag(-ftrivial-auto-var-init=pattern PUNKT_HAS_AUTO_VAR_INIT)
if(PUNKT_HAS_AUTO_VAR_INIT)
    target_compile_options(punkt_flags INTERFACE -ftrivial-auto-var-init=pattern)
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
    punkt_written(arg_SOURCES)
    if(NOT arg_SOURCES)
        add_library(${target} INTERFACE)
        target_link_libraries(${target} INTERFACE ${arg_DEPENDS})
        target_include_directories(${target} INTERFACE ${arg_INCLUDE})
        return()
    endif()
    add_library(${target} STATIC ${arg_SOURCES})
    target_include_directories(${target} PUBLIC ${arg_INCLUDE})
    target_link_libraries(${target} PUBLIC ${arg_DEPENDS} PRIVATE punkt_flags ${arg_PRIVATE})
    # Hidden everywhere, because the objects of proto are also inside libpunkt.so.
    set_target_properties(${target} PROPERTIES C_VISIBILITY_PRESET hidden)
endfunction()

# While the folders are being filled: a listed source that nobody has written yet is named and left out.
function(punkt_written list_name)
    set(written)
    foreach(source IN LISTS ${list_name})
        if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${source})
            list(APPEND written ${source})
        else()
            message(WARNING "${CMAKE_CURRENT_SOURCE_DIR}/${source} is listed but does not exist")
        endif()
    endforeach()
    set(${list_name} ${written} PARENT_SCOPE)
endfunction()

# punkt_program(<target> SOURCES <file>... [LINKS <target>...]): an executable that is installed.
function(punkt_program target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS")
    add_executable(${target} ${arg_SOURCES})
    target_link_libraries(${target} PRIVATE punkt_flags ${arg_LINKS})
    install(TARGETS ${target} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# libpunkt.so from the objects of static libraries: what is inside, what it links, how it is installed.
function(punkt_shared_client)
    cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "OBJECTS;LINKS")
    set(objects)
    foreach(target IN LISTS arg_OBJECTS)
        get_target_property(type ${target} TYPE)
        if(NOT type STREQUAL STATIC_LIBRARY)
            add_library(punkt_client INTERFACE)
            target_include_directories(punkt_client INTERFACE ${PROJECT_SOURCE_DIR}/client/include)
            return()
        endif()
        list(APPEND objects $<TARGET_OBJECTS:${target}>)
    endforeach()
    add_library(punkt_client SHARED ${objects})
    add_library(punkt::punkt ALIAS punkt_client)
    target_include_directories(
        punkt_client INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/client/include>
                               $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(punkt_client PRIVATE punkt_flags ${arg_LINKS})
    set_target_properties(punkt_client PROPERTIES
        INSTALL_RPATH "" OUTPUT_NAME punkt EXPORT_NAME punkt VERSION ${PROJECT_VERSION} SOVERSION 0 LINKER_LANGUAGE C)
endfunction()
