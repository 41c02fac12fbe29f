"""A pytest plugin for nbval: its kernels talk over socket files.

By default a kernel gets TCP ports that were free a moment ago, and two kernels that start together
can be given the same one.
"""

from jupyter_client.connect import ConnectionFileMixin

ConnectionFileMixin.transport.default_value = "ipc"
