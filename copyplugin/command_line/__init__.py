"""The commands of `copyplugin`, a file each; `copyplugin.cli` says where each is found."""
