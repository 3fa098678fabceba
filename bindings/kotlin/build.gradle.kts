// A library module for Android. Not run yet: see README.md. `tools/kotlin-build` builds for the JVM.

plugins {
    id("com.android.library") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.4.20"
}

android {
    namespace = "hongyan"
    compileSdk = 36

    defaultConfig {
        minSdk = 21
        consumerProguardFiles("consumer-rules.pro")
        ndk { abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64") }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_1_8
        targetCompatibility = JavaVersion.VERSION_1_8
    }

    // What cargo-ndk puts into src/main/jniLibs is taken from there.
    sourceSets["main"].kotlin.srcDir("src/main/kotlin")
}

kotlin {
    explicitApi()
    compilerOptions { jvmTarget.set(org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_1_8) }
}

dependencies { api("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.8.0") }
