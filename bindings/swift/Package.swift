// swift-tools-version: 6.0
import Foundation
import PackageDescription

// On Apple's systems the library is a framework beside this file, where tools/xcframework puts it; elsewhere
// it is installed in the system, and pkg-config tells where.
let framework = "hongyan.xcframework"
let isHere = FileManager.default.fileExists(atPath: Context.packageDirectory + "/" + framework)
let library: Target =
    isHere
    ? .binaryTarget(name: "CHongyan", path: framework)
    : .systemLibrary(name: "CHongyan", pkgConfig: "hongyan")

let package = Package(
    name: "hongyan",
    platforms: [.macOS(.v13), .iOS(.v16)],
    products: [.library(name: "Hongyan", targets: ["Hongyan"])],
    targets: [
        library,
        .target(name: "Hongyan", dependencies: ["CHongyan"]),
        .testTarget(name: "HongyanTests", dependencies: ["Hongyan"]),
    ]
)
