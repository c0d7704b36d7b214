# SPDX-License-Identifier: MIT
# An overlay port of the tree that it lies in: docs/building.md
get_filename_component(tree "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)
set(SOURCE_PATH "${CURRENT_BUILDTREES_DIR}/src")
file(REMOVE_RECURSE "${SOURCE_PATH}")
foreach(room IN ITEMS apps bin call client codec core docs front include libquoit licenses link proto schema server services
    subprojects transport meson.build meson_options.txt LICENSE)
  file(COPY "${tree}/${room}" DESTINATION "${SOURCE_PATH}")
endforeach()

# upb and nghttp2, by their hashes; nothing, if the tree has them already
vcpkg_find_acquire_program(PYTHON3)
vcpkg_execute_required_process(
  COMMAND "${PYTHON3}" subprojects/fetch
  WORKING_DIRECTORY "${SOURCE_PATH}"
  LOGNAME "fetch-${TARGET_TRIPLET}")

vcpkg_add_to_path("${CURRENT_HOST_INSTALLED_DIR}/tools/protobuf")
vcpkg_configure_meson(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS -Dtests=false -Dreference=disabled)
vcpkg_install_meson()
vcpkg_fixup_pkgconfig()

# Of the archive and the shared object, which are always made, the triplet's
foreach(folder IN ITEMS lib debug/lib)
  if(VCPKG_LIBRARY_LINKAGE STREQUAL "static")
    file(GLOB others "${CURRENT_PACKAGES_DIR}/${folder}/*.so*")
  else()
    file(GLOB others "${CURRENT_PACKAGES_DIR}/${folder}/*.a")
  endif()
  if(others)
    file(REMOVE ${others})
  endif()
endforeach()

vcpkg_copy_tools(TOOL_NAMES protoc-gen-quoit quoit quoit-api quoit-web AUTO_CLEAN)
# find_package(quoit) finds it where it is, beside the libraries; the plugin has moved
set(VCPKG_POLICY_SKIP_MISPLACED_CMAKE_FILES_CHECK enabled)
set(VCPKG_POLICY_SKIP_LIB_CMAKE_MERGE_CHECK enabled)
vcpkg_replace_string("${CURRENT_PACKAGES_DIR}/lib/cmake/quoit/quoitConfig.cmake" "../bin\"" "../tools/quoit\"")
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share"
  "${CURRENT_PACKAGES_DIR}/debug/lib/cmake" "${CURRENT_PACKAGES_DIR}/share/man")

file(GLOB licenses "${SOURCE_PATH}/licenses/*.txt")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE" ${licenses})
