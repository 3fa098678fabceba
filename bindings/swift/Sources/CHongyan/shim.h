/* The header of the library as it is installed. */
#include <hongyan.h>
