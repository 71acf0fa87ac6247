/** Where OSDs have their folders; ceph-ID is a link to by-disk/NAME. */
export const FOLDERS = '/var/lib/ceph/osd'
