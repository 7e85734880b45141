/* SPDX-License-Identifier: MIT */
/* What an input looks like that is of no format of the registry.  A format more is a row more. */
#include <string.h>

#include "look.h"

/* What names it where the mark does not, or NULL: it is not of this kind after all. */
typedef const char *name_function(const struct look_view *view);

static name_function name_media, name_matroska, name_old_zip;

struct row {
	struct look_pattern pattern;
	const char *name;
	name_function *find; /* takes the place of the name; is asked once `need` bytes are there */
	size_t need;
};

/* Marks of 24 bits and more: they decide before formats are guessed. */
static const struct row marks[] = {
	/* pictures */
	{ LOOK_START("II*\0"), NULL, look_name_raw, 0 },
	{ LOOK_START("MM\0*"), NULL, look_name_raw, 0 },
	{ LOOK_START("IIU\0"), "a raw photograph (RW2)", NULL, 0 },
	{ LOOK_START("IIRO"), "a raw photograph (ORF)", NULL, 0 },
	{ LOOK_START("FUJIFILMCCD-RAW"), "a raw photograph (RAF)", NULL, 0 },
	{ LOOK_START("gimp xcf"), "a GIMP picture", NULL, 0 },
	{ LOOK_START("icns"), "an icon (ICNS)", NULL, 0 },
	{ LOOK_START("\x8aMNG\r\n\x1a\n"), "MNG", NULL, 0 },
	{ LOOK_START("\x8bJNG\r\n\x1a\n"), "JNG", NULL, 0 },
	{ LOOK_START("\xabKTX "), "KTX", NULL, 0 },
	{ LOOK_START("SDPX"), "DPX", NULL, 0 },
	{ LOOK_START("XPDS"), "DPX", NULL, 0 },
	{ LOOK_START("BPG\xfb"), "BPG", NULL, 0 },
	{ LOOK_START("FLIF"), "FLIF", NULL, 0 },
	{ LOOK_START("SIMPLE  ="), "FITS", NULL, 0 },
	{ LOOK_START("\x97JB2\r\n\x1a\n"), "JBIG2", NULL, 0 },
	{ LOOK_START("\xd7\xcd\xc6\x9a"), "WMF", NULL, 0 },
	{ LOOK_FORM("ILBM"), "an IFF picture (ILBM)", NULL, 0 },
	/* video, and what has sound and video */
	{ LOOK_AT(4, "ftyp"), NULL, name_media, 12 },
	{ LOOK_AT(4, "moov"), "a QuickTime movie", NULL, 0 },
	{ LOOK_AT(4, "mdat"), "a QuickTime movie", NULL, 0 },
	{ LOOK_AT(4, "wide"), "a QuickTime movie", NULL, 0 },
	{ LOOK_START("\x1a\x45\xdf\xa3"), NULL, name_matroska, 64 },
	{ LOOK_RIFF("AVI "), "AVI", NULL, 0 },
	{ LOOK_START("FLV\1"), "Flash video", NULL, 0 },
	{ LOOK_START("\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "WMA or WMV (ASF)", NULL, 0 },
	{ LOOK_START(".RMF"), "RealMedia", NULL, 0 },
	{ LOOK_START("\0\0\1\xba"), "an MPEG video", NULL, 0 },
	{ LOOK_START("\0\0\1\xb3"), "an MPEG video", NULL, 0 },
	{ LOOK_START("DKIF"), "IVF", NULL, 0 },
	/* sound */
	{ LOOK_START("OggS\0"), NULL, look_name_ogg, 0 },
	{ LOOK_START("MThd"), "MIDI", NULL, 0 },
	{ LOOK_RIFF("RMID"), "MIDI", NULL, 0 },
	{ LOOK_MASKED("MAC \0\x0f", "\xff\xff\xff\xff\0\xff"), "Monkey's Audio (APE)", NULL, 0 },
	{ LOOK_START("wvpk"), "WavPack", NULL, 0 },
	{ LOOK_START("TTA1"), "TTA", NULL, 0 },
	{ LOOK_START("MPCK"), "Musepack", NULL, 0 },
	{ LOOK_START("MP+"), "Musepack", NULL, 0 },
	{ LOOK_START("DSD \x1c"), "DSD", NULL, 0 },
	{ LOOK_START("FRM8"), "DSD", NULL, 0 },
	{ LOOK_START("caff\0"), "CAF", NULL, 0 },
	{ LOOK_START("riff\x2e\x91\xcf\x11"), "Wave64", NULL, 0 },
	{ LOOK_START("#!AMR"), "AMR", NULL, 0 },
	{ LOOK_START("ajkg"), "Shorten", NULL, 0 },
	{ LOOK_START("\x7f\xfe\x80\x01"), "DTS", NULL, 0 },
	{ LOOK_START("Creative Voice File\x1a"), "VOC", NULL, 0 },
	{ LOOK_START("Extended Module: "), "a tracker module", NULL, 0 },
	{ LOOK_START("IMPM"), "a tracker module", NULL, 0 },
	{ LOOK_FORM("8SVX"), "an IFF sound (8SVX)", NULL, 0 },
	{ LOOK_RIFF("sfbk"), "a SoundFont", NULL, 0 },
	{ LOOK_START("ADIF"), "AAC (ADIF)", NULL, 0 },
	/* archives and compressed data */
	{ LOOK_START("PK\3\4"), NULL, name_old_zip, 58 },
	{ LOOK_START("PK\5\6"), "a ZIP archive", NULL, 0 },
	{ LOOK_START("PK\7\x08PK"), "a ZIP archive", NULL, 0 },
	{ LOOK_START("Rar!\x1a\7"), "a RAR archive", NULL, 0 },
	{ LOOK_START("7z\xbc\xaf\x27\x1c"), "a 7z archive", NULL, 0 },
	{ LOOK_START("MSCF\0\0\0\0"), "a Cabinet archive", NULL, 0 },
	{ LOOK_START("!<arch>\ndebian-binary"), "a Debian package", NULL, 0 },
	{ LOOK_START("!<arch>\n"), "an ar archive", NULL, 0 },
	{ LOOK_START("070701"), "a cpio archive", NULL, 0 },
	{ LOOK_START("070707"), "a cpio archive", NULL, 0 },
	{ LOOK_START("\xed\xab\xee\xdb"), "an RPM package", NULL, 0 },
	{ LOOK_START("\x1f\x9d\x90"), "a file of compress (.Z)", NULL, 0 },
	{ LOOK_START("\x89LZO\0\r\n\x1a\n"), "an lzop file", NULL, 0 },
	{ LOOK_START("LRZI"), "an lrzip file", NULL, 0 },
	{ LOOK_START("\xff\6\0\0sNaPpY"), "Snappy", NULL, 0 },
	{ LOOK_START("hsqs"), "SquashFS", NULL, 0 },
	{ LOOK_START("xar!"), "a xar archive", NULL, 0 },
	/* documents */
	{ LOOK_START("%PDF-"), "PDF", NULL, 0 },
	{ LOOK_START("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "an old Office document", NULL, 0 },
	{ LOOK_START("AT&TFORM"), "DjVu", NULL, 0 },
	{ LOOK_START("SQLite format 3\0"), "an SQLite database", NULL, 0 },
	/* programs, fonts */
	{ LOOK_START("\x7f"
	             "ELF"),
	  "a program or library (ELF)", NULL, 0 },
	{ LOOK_START("MZ\x90\0"), "a Windows program", NULL, 0 },
	{ LOOK_START("\xcf\xfa\xed\xfe"), "a program (Mach-O)", NULL, 0 },
	{ LOOK_START("\xce\xfa\xed\xfe"), "a program (Mach-O)", NULL, 0 },
	{ LOOK_START("\0asm\1"), "WebAssembly", NULL, 0 },
	{ LOOK_START("\xca\xfe\xba\xbe"), "a Java class or a Mach-O program", NULL, 0 },
	{ LOOK_START("wOFF"), "a font", NULL, 0 },
	{ LOOK_START("wOF2"), "a font", NULL, 0 },
	{ LOOK_START("OTTO\0"), "a font", NULL, 0 },
	{ LOOK_START("ttcf\0"), "a font", NULL, 0 },
	{ LOOK_MASKED("\0\1\0\0\0\0\0\0", "\xff\xff\xff\xff\xff\0\xff\0"), "a font", NULL, 0 },
};

/* Short marks, and such as are far behind: what is guessed may be decided before them. */
static const struct row late_marks[] = {
	{ LOOK_START("MZ"), "a Windows program", NULL, 0 },
	{ LOOK_START("\x1f\x9d"), "a file of compress (.Z)", NULL, 0 },
	{ LOOK_START("\x0b\x77"), "AC-3", NULL, 0 },
	{ LOOK_AT(40, " EMF"), "EMF", NULL, 0 },
	{ LOOK_AT(44, "SCRM"), "a tracker module", NULL, 0 },
	{ LOOK_AT(128, "DICM"), "DICOM", NULL, 0 },
	{ LOOK_AT(257, "ustar"), "a tar archive", NULL, 0 },
	{ LOOK_AT(1080, "M.K."), "a tracker module", NULL, 0 },
	{ LOOK_AT(32769, "CD001"), "a CD image (ISO 9660)", NULL, 0 },
};

/* ---- names that the mark does not tell ---- */

/* By the brand of the file. */
static const char *name_media(const struct look_view *view)
{
	static const struct {
		const char *brand, *name;
	} brands[] = {
		{ "M4A ", "AAC or ALAC in MPEG-4 (M4A)" },
		{ "M4B ", "AAC or ALAC in MPEG-4 (M4A)" },
		{ "qt  ", "a QuickTime movie" },
		{ "crx ", "a raw photograph (CR3)" },
		{ "3gp", "a 3GP video" },
		{ "3g2", "a 3GP video" },
	};

	for (size_t i = 0; i < sizeof(brands) / sizeof(brands[0]) && view->size >= 12; i++)
		if (memcmp(view->bytes + 8, brands[i].brand, strlen(brands[i].brand)) == 0)
			return brands[i].name;
	return "an MP4 video";
}

static bool contains(const struct look_view *view, size_t most, const char *word)
{
	return memmem(view->bytes, view->size < most ? view->size : most, word, strlen(word)) != NULL;
}

static const char *name_matroska(const struct look_view *view)
{
	return contains(view, 64, "webm") ? "WebM" : "Matroska";
}

/* The first member tells some documents from archives. */
static const char *name_old_zip(const struct look_view *view)
{
	if (contains(view, 58, "mimetypeapplication/epub"))
		return "an e-book (EPUB)";
	if (contains(view, 58, "mimetypeapplication/vnd"))
		return "an OpenDocument file (ZIP)";
	return "a ZIP archive";
}

/* MPEG-TS: packets of 188 bytes, each of which starts alike. */
static size_t guess_transport_stream(const struct look_view *view)
{
	enum { PACKET = 188, ENOUGH = 5 };

	for (size_t i = 0; i < ENOUGH; i++)
		if (i * PACKET >= view->size || view->bytes[i * PACKET] != 0x47)
			return 0;
	return (ENOUGH - 1) * PACKET + 1;
}

/* ---- looking ---- */

static enum look look_row(const struct look_view *view, const struct row *row, const char **name)
{
	enum look look = look_pattern(view, &row->pattern);

	*name = row->name;
	if (look != LOOK_YES || !row->find)
		return look;
	if (view->size < row->need && !view->ended)
		return LOOK_MORE;
	*name = row->find(view);
	return *name ? LOOK_YES : LOOK_NO;
}

enum look look_others(const struct look_view *view, const char **name)
{
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		enum look look = look_row(view, &marks[i], name);
		if (look != LOOK_NO)
			return look;
	}
	return LOOK_NO;
}

size_t guess_others(const struct look_view *view, const char **name)
{
	size_t best = guess_adts(view), other = guess_transport_stream(view);

	*name = best > 0 ? "AAC (ADTS)" : NULL;
	if (other > 0 && (best == 0 || other < best)) {
		best = other;
		*name = "an MPEG transport stream";
	}
	for (size_t i = 0; i < sizeof(late_marks) / sizeof(late_marks[0]); i++) {
		const struct look_pattern *pattern = &late_marks[i].pattern;
		size_t end = pattern->offset + pattern->size;
		if ((best > 0 && end >= best) || look_pattern(view, pattern) != LOOK_YES)
			continue;
		best = end;
		*name = late_marks[i].name;
	}
	return best;
}
