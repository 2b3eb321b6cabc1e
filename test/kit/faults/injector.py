"""Runs a program and makes chosen system calls on chosen files fail.

A seccomp filter hands the calls below to this supervisor, made by any part of it: Node, libuv's threads, koffi, children.
Usage: injector.py SOCKET PROGRAM ARGUMENT...; it connects to the socket, where commands and answers are lines of JSON.

  {"arm": {"calls": ["fsync"], "path": "regular expression", "errno": 5, "skip": 2, "times": 1}}  "times" null: no end
  {"disarm": true}   both answer {"seen": {call: count}, "hits": {call: count}} since the last "arm"
"""
import array, collections, ctypes, errno, fcntl, json, os, re, signal, socket, struct, sys, threading

AT_FDCWD = -100
FICLONE, FICLONERANGE = 0x40049409, 0x4020940D
# Call -> number on x86-64, family, positions of: descriptor, or pairs of (directory, path). None: no directory.
CALLS = {
    'read': (0, 'read', [0]), 'pread64': (17, 'read', [0]), 'preadv': (295, 'read', [0]), 'readv': (19, 'read', [0]),
    'write': (1, 'write', [0]), 'pwrite64': (18, 'write', [0]), 'writev': (20, 'write', [0]),
    'pwritev': (296, 'write', [0]), 'pwritev2': (328, 'write', [0]),
    'openat': (257, 'open', [(0, 1)]), 'open': (2, 'open', [(None, 0)]),
    'close': (3, 'close', [0]),
    'fsync': (74, 'fsync', [0]), 'fdatasync': (75, 'fsync', [0]), 'sync_file_range': (277, 'fsync', [0]),
    'rename': (82, 'rename', [(None, 0), (None, 1)]), 'renameat': (264, 'rename', [(0, 1), (2, 3)]),
    'renameat2': (316, 'rename', [(0, 1), (2, 3)]),
    'link': (86, 'link', [(None, 0), (None, 1)]), 'linkat': (265, 'link', [(0, 1), (2, 3)]),
    'unlink': (87, 'unlink', [(None, 0)]), 'unlinkat': (263, 'unlink', [(0, 1)]),
    'ftruncate': (77, 'ftruncate', [0]), 'fallocate': (285, 'fallocate', [0]),
    'copy_file_range': (326, 'copy_file_range', [0, 2]), 'ioctl': (16, 'clone', [0]),
}
BY_NUMBER = {number: (name, family, places) for name, (number, family, places) in CALLS.items()}

libc = ctypes.CDLL(None, use_errno=True)
SECCOMP = 317
NOTIF_RECV, NOTIF_SEND, NOTIF_ADDFD = 0xC0502100, 0xC0182101, 0x40182103
CONTINUE = 1


def filter_program():
    """BPF: the calls above go to the supervisor, of ioctl only the clones."""
    number, request, notify, allow = 0, 24, 0x7FC00000, 0x7FFF0000
    rows = [(0x20, 0, 0, number)]
    plain = [n for n in BY_NUMBER if n != 16]
    # Distances count the rows between a jump and its target.
    for at, value in enumerate(plain):
        rows.append((0x15, len(plain) - at + 4, 0, value))
    rows.append((0x15, 0, 3, 16))
    rows.append((0x20, 0, 0, request))
    rows.append((0x15, 2, 0, FICLONE))
    rows.append((0x15, 1, 0, FICLONERANGE))
    rows += [(0x06, 0, 0, allow), (0x06, 0, 0, notify)]
    return b''.join(struct.pack('HBBI', *row) for row in rows), len(rows)


def install_filter():
    """Returns the descriptor on which the supervisor hears of the calls."""
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    rows, length = filter_program()
    buffer = ctypes.create_string_buffer(rows, len(rows))
    program = struct.pack('HxxxxxxQ', length, ctypes.addressof(buffer))
    program_buffer = ctypes.create_string_buffer(program, len(program))
    listener = libc.syscall(SECCOMP, 1, 8, program_buffer)  # SECCOMP_SET_MODE_FILTER, FLAG_NEW_LISTENER
    if listener < 0:
        raise OSError(ctypes.get_errno(), 'seccomp')
    return listener


class Injector:
    def __init__(self, control):
        self.control = control
        self.lock = threading.Lock()
        self.plan = None
        self.seen, self.hits = collections.Counter(), collections.Counter()

    def obey(self):
        for line in self.control.makefile('r'):
            self.command(line)

    def command(self, line):
        order = json.loads(line)
        with self.lock:
            answer = {'seen': dict(self.seen), 'hits': dict(self.hits)}
            self.plan = None
            if 'arm' in order:
                self.plan = dict(order['arm'], path=re.compile(order['arm']['path']))
                self.seen, self.hits = collections.Counter(), collections.Counter()
        self.control.sendall((json.dumps(answer) + '\n').encode())

    def decide(self, pid, number, args):
        """The errno with which the call fails; 0: the kernel carries it out."""
        if self.plan is None:
            return 0
        name, family, places = BY_NUMBER[number]
        try:
            paths = [path_of(pid, place, args) for place in places]
        except OSError:
            return 0
        with self.lock:
            plan = self.plan
            if plan is None or not any(plan['path'].search(path) for path in paths):
                return 0
            self.seen[family] += 1
            if family not in plan['calls'] or plan['errno'] == 0:
                return 0
            if plan['skip'] > 0:
                plan['skip'] -= 1
                return 0
            if plan['times'] is not None:
                if plan['times'] == 0:
                    return 0
                plan['times'] -= 1
            self.hits[family] += 1
            return plan['errno']


def path_of(pid, place, args):
    if isinstance(place, int):
        return os.readlink(f'/proc/{pid}/fd/{args[place]}')
    directory, text = place
    path = string_at(pid, args[text])
    if path.startswith('/proc/self/fd/'):
        number, _, rest = path[len('/proc/self/fd/'):].partition('/')
        return os.path.join(os.readlink(f'/proc/{pid}/fd/{number}'), rest)
    if path.startswith('/'):
        return path
    fd = AT_FDCWD if directory is None else ctypes.c_int(args[directory]).value
    base = os.readlink(f'/proc/{pid}/cwd' if fd == AT_FDCWD else f'/proc/{pid}/fd/{fd}')
    return os.path.join(base, path)


def string_at(pid, address):
    memory = os.open(f'/proc/{pid}/mem', os.O_RDONLY)
    try:
        # A string may end shortly before an unmapped page.
        first = 4096 - address % 4096
        text = os.pread(memory, first, address)
        if b'\0' not in text:
            text += os.pread(memory, 4096, address + first)
        return os.fsdecode(text.split(b'\0', 1)[0])
    finally:
        os.close(memory)


def close_for_real(listener, identity, fd):
    """A close that fails has closed: the number stays taken, but by /dev/null."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        # SECCOMP_ADDFD_FLAG_SETFD replaces the descriptor of the program, as dup2 does.
        fcntl.ioctl(listener, NOTIF_ADDFD, bytearray(struct.pack('QIIII', identity, 1, nothing, fd, os.O_CLOEXEC)))
    finally:
        os.close(nothing)


def supervise(listener, injector):
    while True:
        notice = bytearray(80)
        try:
            fcntl.ioctl(listener, NOTIF_RECV, notice)
        except OSError as error:
            if error.errno in (errno.EINTR, errno.ENOENT):
                continue
            return
        identity, pid, _, number, _, _ = struct.unpack_from('QIIiIQ', notice)
        args = struct.unpack_from('6Q', notice, 32)
        try:
            code = injector.decide(pid, number, args)
            if code and BY_NUMBER[number][1] == 'close':
                close_for_real(listener, identity, args[0])
        except Exception as error:  # the program must not wait for ever
            print('injector:', repr(error), file=sys.stderr)
            code = 0
        answer = struct.pack('QqiI', identity, 0, -code, 0 if code else CONTINUE)
        try:
            fcntl.ioctl(listener, NOTIF_SEND, bytearray(answer))
        except OSError as error:
            if error.errno != errno.ENOENT:  # the call was interrupted
                return


def main():
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
        listener = install_filter()
        theirs.sendmsg([b'f'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [listener]))])
        os.execvp(sys.argv[2], sys.argv[2:])
    theirs.close()
    _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
    listener = array.array('i', ancillary[0][2])[0]
    control = socket.socket(socket.AF_UNIX)
    control.connect(sys.argv[1])
    injector = Injector(control)
    threading.Thread(target=supervise, args=(listener, injector), daemon=True).start()
    threading.Thread(target=injector.obey, daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda sent, _: os.kill(child, sent))
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 255)


main()
