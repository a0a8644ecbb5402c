"""choiros-quota PROJECT BYTES FILES FOLDER…: the folders, with all that is in them and comes into them, are the project
PROJECT, which may have so many bytes and files; 0 is no limit. Project 0 takes folders out of any.

What is in there may be changing, made by whoever runs there. A folder is tagged before it is read: from then on the
kernel lets nothing into it that is not tagged (EXDEV), so one walk finds all. Each name is opened in the folder that it
was read from, and no link is followed.
"""
import errno
import fcntl
import os
import resource
import stat
import struct
import subprocess
import sys

# projects whose folders were walked through to the end
STATE = os.environ["STATE"]
# ioctl_fsxattr(2)
GET, SET, INHERIT = 0x801C581F, 0x401C5820, 0x200
ATTRIBUTES = struct.Struct("=5I8x")
OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOATIME | os.O_CLOEXEC
# gone, or another thing than it was: somebody is at work in there, and it is found elsewhere
MOVED = (errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO)


def attributes(file):
    return ATTRIBUTES.unpack(fcntl.ioctl(file, GET, bytes(ATTRIBUTES.size)))


def wanted(file, project):
    """Its attributes as a part of the project."""
    flags, extent, extents, _, shared = attributes(file)
    inherits = project != 0 and stat.S_ISDIR(os.fstat(file).st_mode)
    return flags & ~INHERIT | INHERIT * inherits, extent, extents, project, shared


def is_tagged(file, project):
    return attributes(file) == wanted(file, project)


def tag(file, project):
    if not is_tagged(file, project):
        fcntl.ioctl(file, SET, ATTRIBUTES.pack(*wanted(file, project)))


def entered(folder, name):
    """A file or folder in there; None for links, pipes, sockets and devices, which can't be tagged, and mounts."""
    try:
        kind = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(kind.st_mode) and not stat.S_ISDIR(kind.st_mode):
            return None
        file = os.open(name, OPEN, dir_fd=folder)
    except OSError as error:
        if error.errno in MOVED:
            return None
        raise
    if os.fstat(file).st_dev != os.fstat(folder).st_dev:
        os.close(file)
        return None
    return file


def walk(top, project):
    """Tags all that is in there. Folders stay open while what is in them is: by their names they would not be found."""
    tag(top, project)
    open_folders = [(top, os.listdir(top))]
    while open_folders:
        folder, names = open_folders[-1]
        if not names:
            open_folders.pop()
            if folder != top:
                os.close(folder)
            continue
        file = entered(folder, names.pop())
        if file is None:
            continue
        tag(file, project)
        if stat.S_ISDIR(os.fstat(file).st_mode):
            open_folders.append((file, os.listdir(file)))
        else:
            os.close(file)


def device(folder, limited):
    """That of its file system, if that has project quotas."""
    if os.path.islink(folder) or not os.path.isdir(folder):
        sys.exit(f"{folder} is no folder: nothing can be limited there.")
    columns = ["findmnt", "--noheadings", "--nofsroot", "--output", "FSTYPE,SOURCE,FS-OPTIONS", "--target", folder]
    kind, source, options = subprocess.run(columns, check=True, text=True, stdout=subprocess.PIPE).stdout.split(maxsplit=2)
    if kind in ("ext4", "xfs") and "prjquota" in options.strip().split(","):
        return source
    if limited:
        sys.exit(
            f"{folder} lies on {source} ({kind}), which is not mounted with project quotas, so diskMax and filesMax can't be held. "
            'Add "prjquota" to the options of its fileSystems entry (XFS and ext4 have it; ext4 wants `tune2fs -O project,quota -Q prjquota` '
            "first, while it is not mounted) and restart the host, or set both to null."
        )
    print(f"{folder} lies on {source} ({kind}) without project quotas: nothing keeps what is in there from filling the disk.")
    return None


def main(project, size, files, *folders):
    project, size, files = int(project), int(size), int(files)
    found = [device(folder, size or files) for folder in folders]
    if None in found:
        return
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    done = f"{STATE}/{project}"
    for folder in folders:
        top = os.open(folder, OPEN | os.O_DIRECTORY)
        try:
            if not is_tagged(top, project) or not os.path.exists(done):
                if os.path.exists(done):
                    os.remove(done)
                walk(top, project)
        except OSError as error:
            sys.exit(f"What is in {folder} can't be counted as the project {project}: {error.strerror}.")
        finally:
            os.close(top)
    if project != 0:
        limits = ["0", str(-(-size // 1024)), "0", str(files)]
        subprocess.run(["setquota", "-P", str(project), *limits, found[0]], check=True)
        open(done, "w").close()


main(*sys.argv[1:])
