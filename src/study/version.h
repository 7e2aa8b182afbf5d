/* src/study/version.h - the program's version, from configure.ac. */
#ifndef LAB_STUDY_VERSION_H
#define LAB_STUDY_VERSION_H

#ifdef PACKAGE_VERSION
#define LABYRINTH_VERSION PACKAGE_VERSION
#else
#define LABYRINTH_VERSION "0"
#endif

#endif
