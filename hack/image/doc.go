// Command image makes Tugboot's container image without a registry or a container engine, and the parts of its file system
// that Dockerfile shares with it. It knows image layouts, layers, file capabilities and licences; it must not know how the
// program or iPXE came to be: hack/image-root.sh lays them out. It follows the OCI image specification 1.1 and tar's PAX
// records, and adds Docker's manifest.json.
package main
